"""Ids of records: people copy 15 characters, the API gives 18."""

from __future__ import annotations

import re

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_SHORT = 15
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def full_id(text: str) -> str | None:
    """Return the id of 18 characters that an id of 15 or 18 stands for; None for a text that is no id.

    The last three say which letters of each five are capitals, so that ids differ also where case is lost.
    """
    text = text.strip()
    if not _ID.fullmatch(text):
        return None
    if len(text) > _SHORT:
        return text
    return _lengthen(text)


def is_well_formed(record_id: str) -> bool:
    """Return whether the last three of an id of 18 characters are those of the others: Salesforce has no other ids."""
    return record_id == _lengthen(record_id[:_SHORT])


def _lengthen(text: str) -> str:
    fives = (text[start : start + 5] for start in (0, 5, 10))
    return text + "".join(_SIGNS[sum(sign.isupper() << place for place, sign in enumerate(five))] for five in fives)
