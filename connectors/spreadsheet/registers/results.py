"""The column of a washed list that says who is on the register: as Australia's and Singapore's registers return it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ringfence.core.model.blocks import Channel

_HEADER = re.compile(r"result|status|regist|\bdnc|\bdncr|listed|do.?not|wash|\bno (voice|text|fax)", re.IGNORECASE)
_OF_CHANNEL = {
    Channel.VOICE: re.compile(r"voice|call|phone", re.IGNORECASE),
    Channel.SMS: re.compile(r"text|sms|message", re.IGNORECASE),
}
_FAX = re.compile(r"\bfax\b", re.IGNORECASE)
_ON = frozenset(
    [
        "y",
        "yes",
        "true",
        "t",
        "1",
        "registered",
        "listed",
        "dnc",
        "dncr",
        "match",
        "matched",
        "found",
        "hit",
        "blocked",
        "on",
        "suppressed",
        "removed",
    ]
)
_OFF = frozenset(
    [
        "n",
        "no",
        "false",
        "f",
        "0",
        "unregistered",
        "unlisted",
        "clear",
        "ok",
        "pass",
        "passed",
        "valid",
        "callable",
        "off",
        "none",
        "unmatched",
        "contactable",
    ]
)
_OFF_WORDS = re.compile(
    r"\b(?:not|no|non|un)[ -]?(?:on |in )?(?:the )?(?:regist|list|match|found|record)", re.IGNORECASE
)
_ON_WORDS = re.compile(
    r"\b(?:regist|listed|on (?:the )?(?:regist|list)|do not (?:call|contact|text|send))", re.IGNORECASE
)


def find_results(columns: Sequence[str], rows: Sequence[Sequence[str]], channel: Channel) -> tuple[int, ...]:
    """Return the columns that say who is on the register, for the channel where each has its own; none in a list.

    A header alone decides nothing: most of the cells below it must be results in words that are known.
    """
    found = [
        index for index, name in enumerate(columns) if _HEADER.search(name) and _are_results([*_cells(rows, index)])
    ]
    if len(found) > 1:
        found = [index for index in found if not _FAX.search(columns[index])] or found
    if len(found) > 1 and (about := _OF_CHANNEL.get(channel)) is not None:
        found = [index for index in found if about.search(columns[index])] or found
    return tuple(found)


def is_listed(text: str) -> bool:
    """Return whether a result says that the number is on the register; one that says nothing plainly says so too."""
    return read_result(text) is not False


def read_result(text: str) -> bool | None:
    """Return what a result says: on the register or not; None where that is not plain."""
    word = text.strip().casefold()
    if word in _ON:
        return True
    if word in _OFF or _OFF_WORDS.search(word):
        return False
    return True if _ON_WORDS.search(word) else None


def _cells(rows: Sequence[Sequence[str]], index: int) -> Sequence[str]:
    return [row[index] for row in rows if index < len(row) and row[index].strip()]


def _are_results(cells: Sequence[str]) -> bool:
    plain = sum(read_result(cell) is not None for cell in cells)
    return bool(cells) and plain * 2 > len(cells)
