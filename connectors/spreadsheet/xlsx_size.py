"""How much a workbook may unpack to: a small file may hold gigabytes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NoReturn

from ringfence.core.errors import FileError

MOST_STREAMED = 8 * 1024**3
MOST_HELD = 256 * 1024**2
"""Bytes, unpacked: sheets are read cell by cell, any other part is held in memory as a whole, the texts above all."""


def check_size(path: Path) -> None:
    """Raise FileError where a workbook unpacks to more than can be read.

    Raises what ``zipfile`` raises for a file that is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        parts = [part for part in archive.infolist() if not part.filename.startswith("xl/media/")]
    held = [part for part in parts if not part.filename.startswith("xl/worksheets/")]
    largest = max(held, key=lambda part: part.file_size, default=None)

    if largest and largest.file_size > MOST_HELD:
        what = "texts" if "sharedstrings" in largest.filename.lower() else f"part {largest.filename!r}"
        _refuse(path, what, largest.file_size, MOST_HELD)
    if (streamed := sum(part.file_size for part in parts)) > MOST_STREAMED:
        _refuse(path, "sheets", streamed, MOST_STREAMED)


def _refuse(path: Path, what: str, size: int, most: int) -> NoReturn:
    raise FileError(
        f"{path} is too large: its {what}, unpacked, take {_megabytes(size)}, and at most {_megabytes(most)} are read.",
        "Save the sheet as CSV, which is read at any size.",
    )


def _megabytes(size: int) -> str:
    return f"{-(-size // 1024**2):,} MB"
