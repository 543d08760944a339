"""Reads an org file (YAML); its errors name the place and suggest what was probably meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ringfence.core.config.spelling import did_you_mean

from .org_schema import known_traits, org_model
from .traits import OrgError, OrgFile
from .yaml_file import read_table, read_text

EXAMPLE = "docs/org.example.yaml shows every key."
_WHAT = "org file"


def read_org(path: Path) -> OrgFile:
    """Return what the accounts are like, by a YAML file.

    Raises FileError for a file that cannot be read, OrgError that names every wrong place.
    """
    return parse_org(read_text(path, _WHAT, OrgError), str(path))


def parse_org(text: str, where: str) -> OrgFile:
    """Return what YAML text says about the accounts; `where` names its source in errors. Raises OrgError."""
    content = read_table(text, f"{_WHAT} {where}", OrgError, EXAMPLE)

    try:
        return org_model().model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_explain(item) for item in error.errors())
        raise OrgError(f"The {_WHAT} {where} is wrong: {problems}.", EXAMPLE) from error


def _explain(item: Any) -> str:
    place = tuple(item["loc"])
    where = ".".join(str(part) for part in place) or "the file"

    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key {place[-1]!r}{did_you_mean(str(place[-1]), known_traits(place[:-1]))}"
    return f"{where}: {item['msg'].removeprefix('Value error, ')}"
