"""Finding what stands at a path in decoded JSON, whatever the JSON is."""

from __future__ import annotations

from math import isfinite
from typing import Any

WHOLE = "."
"""The path of the body itself."""

_NOTHING = ("", "n/a")
"""What stands for a value that the provider does not have."""


def find(body: Any, path: str) -> Any:
    """Return what stands at a path of names and places, joined by points; None where nothing does."""
    if path == WHOLE:
        return body
    for part in path.split("."):
        if isinstance(body, dict):
            body = body.get(part)
        elif isinstance(body, list) and part.isdecimal() and int(part) < len(body):
            body = body[int(part)]
        else:
            return None
    return body


def has_path(body: Any, path: str) -> bool:
    """Return whether a path is there, be its value null or not."""
    parent, _, last = path.rpartition(".")
    holder = find(body, parent) if parent else body
    return last in holder if isinstance(holder, dict) else find(body, path) is not None


def is_nothing(raw: Any) -> bool:
    """Return whether a value says nothing: null, an empty text, list or object, and "N/A"."""
    return raw is None or raw in ([], {}) or (isinstance(raw, str) and raw.strip().casefold() in _NOTHING)


def as_finite(raw: Any) -> float | None:
    """Return a number, also from a text; None for what is none."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
