"""Reads a faults file (YAML); its errors name the place and suggest what was probably meant."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ringfence.core.config.spelling import did_you_mean

from .fault_schema import fault_kinds, faults_model, meant
from .faults import Faults, FaultsError
from .plugin import installed_services
from .yaml_file import read_table, read_text

EXAMPLE = "docs/faults.example.yaml shows every kind of fault."
_WHAT = "faults file"


def read_faults(path: Path) -> Faults:
    """Return the faults of a YAML file.

    Raises FileError for a file that cannot be read, FaultsError that names every wrong place.
    """
    return parse_faults(read_text(path, _WHAT, FaultsError), str(path))


def parse_faults(text: str, where: str) -> Faults:
    """Return the faults in YAML text; `where` names its source in errors. Raises FaultsError."""
    content = read_table(text, f"{_WHAT} {where}", FaultsError, EXAMPLE)

    try:
        faults = faults_model().model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_explain(item) for item in error.errors())
        raise FaultsError(f"The {_WHAT} {where} is wrong: {problems}.", EXAMPLE) from error

    refuse_unknown_paths(faults)
    return faults


def refuse_unknown_paths(faults: Faults) -> None:
    """Raise FaultsError for a rule whose path matches no endpoint of its service, and which would never act."""
    for number, rule in enumerate(faults.rules):
        path, templates = rule.when.path, installed_services()[rule.service].fault_paths
        if path is None or any(_overlap(path, template) for template in templates):
            continue

        near = difflib.get_close_matches(path, templates, n=1, cutoff=0)
        raise FaultsError(
            f"rules.{number}.when.path: {rule.service} has no endpoint {path!r} (did you mean {near[0]!r}?).", EXAMPLE
        )


def _overlap(path: str, template: str) -> bool:
    """Return whether some request can match both paths: each segment is equal, or a placeholder on one side."""
    ours, theirs = path.strip("/").split("/"), template.strip("/").split("/")
    return len(ours) == len(theirs) and all(
        one == other or one == "*" or "{" in (one[:1], other[:1]) for one, other in zip(ours, theirs, strict=True)
    )


def _explain(item: Any) -> str:
    place, kinds = tuple(item["loc"]), fault_kinds()
    where = ".".join(str(part) for part in place if part not in kinds) or "the file"

    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key {place[-1]!r}{meant(place[-1], place[:-1])}"
    if item["type"] == "union_tag_invalid":
        word = item["ctx"]["tag"]
        return f"{where}: unknown kind {word!r}{did_you_mean(word, kinds)}"
    return f"{where}: {item['msg'].removeprefix('Value error, ')}"
