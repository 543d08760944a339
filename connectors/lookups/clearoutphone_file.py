"""The file of numbers that ClearoutPhone is given, and the file of answers that it gives back."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

from .clearoutphone_dialect import VALIDITIES, read_words
from .clearoutphone_settings import PROFILE
from .joining import Numbers
from .reading import Reading
from .words import fold

NUMBER = "Phone Number"
STATUS, LINE_TYPE, CARRIER = "clearoutphone validation status", "clearoutphone line type", "clearoutphone carrier"


class ResultError(Exception):
    """A file of answers that cannot be read as it is; the words say why, without a number in them."""


def write_numbers(numbers: Sequence[str]) -> bytes:
    """Return the file that asks about some E.164 numbers: one column, its name in the first row."""
    return "".join(f"{line}\r\n" for line in (NUMBER, *numbers)).encode()


def read_result(numbers: Sequence[str], content: bytes) -> Mapping[str, Reading]:
    """Return what a file of answers says by the E.164 numbers that were asked about.

    Other numbers in it are counted in the log and left, and so is a row without a word. Raises ResultError for a file
    that was cut off, or lacks the columns of the number and its word.
    """
    text = content.decode("utf-8-sig", errors="replace")
    try:
        rows = [row for row in csv.reader(StringIO(text, newline=""), strict=True) if any(row)]
    except csv.Error:
        raise ResultError("its file of answers was cut off") from None

    head = [fold(name) for name in rows[0]] if rows else []
    if fold(NUMBER) not in head or STATUS not in head:
        raise ResultError("its file of answers lacks the columns of number and status")
    items = [dict(zip(head, row, strict=False)) for row in rows[1:]]

    ends_whole = text.endswith(("\n", "\r"))
    if items and not ends_whole and not _is_whole(rows[-1], items[-1], head):
        items.pop()
    found = {
        number: read_words(item[STATUS], item.get(LINE_TYPE), item.get(CARRIER))
        for number, item in Numbers(PROFILE.title, numbers).join(items, fold(NUMBER)).items()
        if item.get(STATUS, "").strip()
    }
    if not ends_whole and len(found) < len(set(numbers)):
        raise ResultError("its file of answers was cut off")
    return found


def _is_whole(row: Sequence[str], item: Mapping[str, str], head: Sequence[str]) -> bool:
    """Return whether a last row without an end is all there, as far as can be seen."""
    return len(row) == len(head) and fold(item[STATUS]) in VALIDITIES
