"""A plan as one HTML file: no network, no script, nothing that a CRM holds is taken for anything but text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..printable import printable
from .new_file import new_text_file

SHOWN = 25
"""Rows of a list that stand open; the rest of it unfolds."""

PIECES = 200
"""Pieces of the page that are written at once."""

Listed = Callable[[], Iterator[dict[str, Any]]]


def write_page(
    path: Path, document: Mapping[str, Any], flags: Listed, rewrites: Listed, *, force: bool = False
) -> None:
    """Write a plan as a page into a new file; its two lists are gone through as they are written.

    Raises FileError where the file cannot be written, or is there already unless ``force``.
    """
    style = resources.files(__package__).joinpath("plan.css").read_text("utf-8")
    stream = (
        _environment()
        .get_template("plan.html")
        .stream(
            plan=document,
            flags=flags,
            rewrites=rewrites,
            shown=SHOWN,
            # Our own file, without anything from outside.
            style=Markup(style),  # noqa: S704
            version=version("ringfence"),
        )
    )
    stream.enable_buffering(PIECES)

    with new_text_file(path, force=force) as file:
        file.writelines(stream)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ringfence.apps.pages", ""),
        autoescape=True,
        finalize=_as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = "{:,}".format
    environment.filters["moment"] = _moment
    return environment


def _as_text(value: Any) -> Any:
    """Return a value as it may stand on the page: signs that turn the reading direction round are written out."""
    return printable(value) if type(value) is str else value


def _moment(value: str) -> str:
    moment = datetime.fromisoformat(value)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
