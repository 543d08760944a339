"""Ids of records: bare digits."""

from __future__ import annotations

import re

_ID = re.compile(r"[0-9]{1,20}")


def plain_id(text: str) -> str | None:
    """Return the id in a text; None for a text that is no id."""
    found = _ID.fullmatch(text.strip())
    return found[0] if found else None
