"""Registers that are lines of digits: cut by one pattern, some hundred thousand lines at once.

A line that the pattern of its layout does not take is read by itself, as any cell is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ringfence.core.errors import FileError
from ringfence.core.numbers import mask_text, read_number
from ringfence.core.suppression.list_rows import ListBatch, UnreadableRow

from ..encoding import Encoding

_CHUNK = 1 << 20
_EXAMPLES = 3
_LONGEST_SHOWN = 40
_CHANGE_CELLS = 4
_BETWEEN = re.compile(r'[",; \t]')
_NANP = ("US", "CA")
_NORTH_AMERICAN = re.compile(r"'?(?:\+?1)?[-.()']*[2-9]\d\d[-.()']*[2-9]\d\d[-.']?\d{4}'?")
_BRITISH = re.compile(r"(?:0|\+44 ?(?:\(0\))?)[-() ]*[1-9](?:[-() ]*\d){8,9}")
_ONE_CELL = re.compile(r"[^,;|\t]+")

Change = tuple[int, bool]


class Line(NamedTuple):
    """What one line holds; without numbers it cannot be read."""

    numbers: tuple[bytes, ...]
    change: Change | None = None


@dataclass(frozen=True)
class Layout:
    """How the lines of a format look.

    ``whole`` matches a line as the format has it, its end included; ``cut`` makes E.164 numbers of what it has found
    in many of them. Any other line is read in ``region``, if it has the ``shape`` of a number alone: a name beside it
    shows that the file is of another format. ``joined`` tells that the area code may stand in a column of its own,
    ``changes`` that each line says what became of a number.
    """

    whole: re.Pattern[bytes]
    cut: Callable[[list[tuple[bytes, ...]]], list[bytes]]
    shape: re.Pattern[str]
    region: str | None
    joined: bool = False
    changes: bool = False


def us_dnc() -> Layout:
    """Return the layout of the full US list: ``AREA,NUMBER``."""
    return Layout(re.compile(rb"(?m)^([2-9]\d\d),(\d{7})\r?\n"), _join_area, _NORTH_AMERICAN, "US", joined=True)


def us_dnc_change() -> Layout:
    """Return the layout of a US change list: ``AREA,NUMBER,YYYY-MM-DD,A`` or ``D``."""
    pattern = re.compile(rb"(?m)^([2-9]\d\d),(\d{7}),(\d{4}-[01]\d-[0-3]\d),([AD])\r?\n")
    return Layout(pattern, _join_area, _NORTH_AMERICAN, "US", joined=True, changes=True)


def digits(region: str | None) -> Layout:
    """Return the layout of a list with nothing but a number in each line, national ones of the region."""
    pattern = rb"(?m)^\+?1?([2-9]\d\d[2-9]\d{6})\r?\n" if region in _NANP else rb"(?!)()"
    return Layout(re.compile(pattern), _with_code, _ONE_CELL, region)


def ca_dncl() -> Layout:
    """Return the layout of the Canadian list: ten digits, the area code perhaps apart from the rest."""
    return replace(digits("CA"), shape=_NORTH_AMERICAN, joined=True)


def uk_tps() -> Layout:
    """Return the layout of the UK lists: 12 characters, the code and the number, with or without a blank between."""
    pattern = re.compile(rb"(?m)^(?=.{12}\r?\n)0([1-9]\d{1,4}) ?(\d{4,8}) *\r?\n")
    return Layout(pattern, lambda found: [b"+44" + code + number for code, number in found], _BRITISH, "GB")


def _with_code(found: list[tuple[bytes, ...]]) -> list[bytes]:
    return [b"+1" + number for (number,) in found]


def _join_area(found: list[tuple[bytes, ...]]) -> list[bytes]:
    return [b"+1" + row[0] + row[1] for row in found]


@dataclass
class LineReader:
    """Reads the lines of a file in one layout."""

    path: Path
    encoding: Encoding
    layout: Layout
    _line: int = field(default=0, init=False)

    @property
    def size(self) -> int:
        """Return the bytes of the file."""
        return self.path.stat().st_size

    def batches(self) -> Iterator[ListBatch]:
        """Yield the lines from the first on. Raises FileError where the file cannot be read on."""
        self._line = 0
        for chunk, position in self._chunks():
            lines = chunk.count(b"\n")
            found = [row if isinstance(row, tuple) else (row,) for row in self.layout.whole.findall(chunk)]
            if len(found) == lines:
                changes = [(_day(row[2]), row[3] == b"A") for row in found] if self.layout.changes else None
                if changes is None or all(day for day, _ in changes):
                    self._line += lines
                    yield ListBatch(self.layout.cut(found), lines, position, changes)
                    continue
            yield self._read_singly(chunk, position)

    def _read_singly(self, chunk: bytes, position: int) -> ListBatch:
        numbers: list[bytes] = []
        changes: list[Change] = []
        rows, unreadable, examples = 0, 0, list[UnreadableRow]()
        for raw in chunk.splitlines():
            self._line += 1
            text = raw.decode("ascii", "replace").strip(" \t\x00\ufeff\x1a")
            if not text or self._is_header(text):
                continue
            rows += 1
            line = self.read(text)
            numbers += line.numbers
            if line.change is not None:
                changes += [line.change] * len(line.numbers)
            if not line.numbers:
                unreadable += 1
                if len(examples) < _EXAMPLES:
                    examples.append(show_row(self._line, text))
        return ListBatch(numbers, rows, position, changes if self.layout.changes else None, unreadable, tuple(examples))

    def read(self, text: str) -> Line:
        """Return what a line of any form holds."""
        if not self.layout.changes:
            return Line(self._read_shaped(self._join(text)))
        cells = [cell.strip(' "') for cell in text.split(",")]
        if len(cells) != _CHANGE_CELLS or cells[3].upper() not in ("A", "D") or not (day := _day(cells[2].encode())):
            return Line(())
        return Line(self._read_shaped(cells[0] + cells[1]), (day, cells[3].upper() == "A"))

    def _read_shaped(self, text: str) -> tuple[bytes, ...]:
        return read_cell(text, self.layout.region) if self.layout.shape.fullmatch(text) else ()

    def _join(self, text: str) -> str:
        return _BETWEEN.sub("", text) if self.layout.joined else text.rstrip(",; ").strip('" ')

    def _is_header(self, text: str) -> bool:
        """Return whether the first line names what stands below; further down such a line is one that holds nothing."""
        return self._line == 1 and not any(character.isdigit() for character in text)

    def _chunks(self) -> Iterator[tuple[bytes, int]]:
        """Yield whole lines in one byte a character, the last of them with an end, and how much of the file is read."""
        rest = b""
        try:
            with self.path.open("rb") as stream:
                stream.seek(len(self.encoding.bom))
                while data := stream.read(_CHUNK):
                    whole, end, rest = (rest + self._narrow(data)).rpartition(b"\n")
                    if end:
                        yield whole + end, stream.tell()
                    elif len(rest) > _CHUNK:
                        raise FileError(f"{self.path} has no lines.", "Check that it is a list of numbers.")
                if rest:
                    yield rest + b"\n", stream.tell()
        except OSError as error:
            raise FileError(f"{self.path} cannot be read: {error.strerror or error}.", "Check its access.") from error

    def _narrow(self, data: bytes) -> bytes:
        if self.encoding.name.startswith(("utf-16", "utf-32")):
            # A chunk is a multiple of a character, and what is no digit is replaced anyway.
            data = data.decode(self.encoding.name, "replace").encode("ascii", "replace")
        return data if b"\r" not in data or b"\n" in data else data.replace(b"\r", b"\n")


def read_cell(text: str, region: str | None) -> tuple[bytes, ...]:
    """Return the E.164 numbers that a text may mean, as an opt-out on it covers them; none where it is no number."""
    number = read_number(text, region)
    covers = tuple(key.encode() for key in number.covers if key.startswith("+"))
    return covers or ((number.e164.encode(),) if number.e164 else ())


def show_row(line: int, text: str) -> UnreadableRow:
    """Return an unreadable row as people may see it."""
    shown = mask_text(text)
    return UnreadableRow(line, shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + "…")


@lru_cache(maxsize=4096)
def _day(text: bytes) -> int:
    """Return the ordinal of an ISO date; 0 for what is none."""
    try:
        return date.fromisoformat(text.decode("ascii", "replace")).toordinal()
    except ValueError:
        return 0


def matches(layout: Layout, lines: Sequence[bytes]) -> bool:
    """Return whether most of the lines are as the format has them."""
    fitting = sum(layout.whole.fullmatch(line + b"\n") is not None for line in lines)
    return fitting * 2 > len(lines)
