"""The records of a file, by the names of their columns: CSV, Excel or JSON, told apart by what stands in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from ringfence.core.config.history_profile import plain_word
from ringfence.core.errors import FileError
from ringfence.core.numbers import mask_text

from .detection import open_table
from .encoding import Encoding, detect_encoding, read_head
from .json_records import JsonRecords, JsonText
from .options import ScreenOptions
from .table import Table

SEARCHED_ROWS = 30
"""Rows among which the one with the names of the columns is looked for."""

_SHOWN = 300
_ZIP = b"PK\x03\x04"

Record = Mapping[str, str] | None
"""Column -> cell, the names as :func:`plain_word` writes them; None for what is no record."""


@dataclass(frozen=True, slots=True)
class RecordShape:
    """What the records must have: of each group of ``columns`` one (plain names).

    Of JSON, ``lists`` are names under which an object may hold the records, and ``each`` is a list in a record of which
    every element makes a record of its own; its place is in the column ``place``.
    """

    columns: Sequence[Sequence[str]]
    lists: Sequence[str] = ()
    each: str | None = None


@dataclass
class RecordFile:
    """A file of records. Reading them raises FileError where it cannot be read on."""

    path: Path
    shape: RecordShape
    kind: str
    encoding: Encoding | None = None
    table: Table[Any] | None = None
    header: Sequence[str] = ()
    skipped: int = 0
    _size: int = field(default=0, init=False)
    _stream: BinaryIO | None = field(default=None, init=False)

    def records(self) -> Iterator[Record]:
        """Return the records from the first on; empty rows are left out."""
        return self._table_records(self.table) if self.table is not None else self._json_records()

    def estimate(self, done: int) -> int:
        """Return about how many records there are, judged by the first ``done`` of them."""
        if self.table is not None:
            return self.table.estimate(done, self._size)
        position = self._stream.tell() if self._stream is not None and not self._stream.closed else 0
        return round(done * self.path.stat().st_size / position) if position else done

    def _table_records(self, table: Table[Any]) -> Iterator[Record]:
        for _, cells in itertools.islice(table.rows(), self.skipped, None):
            if any(cells) and not all(not cell or cell.isspace() for cell in cells):
                self._size += sum(map(len, cells)) + len(cells)
                yield dict(zip(self.header, cells, strict=False))

    def _json_records(self) -> Iterator[Record]:
        encoding = self.encoding or Encoding("utf-8")
        reader = JsonRecords(tuple(self.shape.lists), frozenset(itertools.chain(*self.shape.columns)))
        with self.path.open("rb") as binary:
            self._stream = binary
            binary.seek(len(encoding.bom))
            with TextIOWrapper(binary, encoding.name, encoding.errors) as stream:
                for value in reader.read(JsonText(self.path, stream)):
                    yield from self._flatten(value)

    def _flatten(self, value: Any) -> Iterator[Record]:
        if not isinstance(value, dict):
            yield None
            return
        several = value.get(self.shape.each) if self.shape.each else None
        if not isinstance(several, list) or not several:
            yield flatten(value)
            return
        for place, each in enumerate(several):
            yield flatten({**value, str(self.shape.each): each}) | {"place": str(place)}


def flatten(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts in an object by their plain names, those of inner objects behind a full stop.

    The texts of a list stand behind one another, parted by spaces.
    """
    found: dict[str, str] = {}
    _flatten_into(found, "", value)
    return found


def _flatten_into(found: dict[str, str], name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _flatten_into(found, f"{name}.{plain_word(key)}" if name else plain_word(key), each)
    elif isinstance(value, list):
        for each in value:
            _flatten_into(found, name, each)
    elif value is not None:
        text = value if isinstance(value, str) else str(value)
        found[name] = f"{found[name]} {text}" if name in found else text


def open_records(path: Path, shape: RecordShape, encoding: str | None = None) -> RecordFile:
    """Return a file of records. Raises FileError where it cannot be read as that, or lacks a column."""
    if not path.is_file():
        raise FileError(f"{path} is not a file.", "Check the name.")
    head = read_head(path)
    if not head.startswith(_ZIP):
        found = detect_encoding(path, encoding)
        begin = found.decode(head).lstrip()[:1]
        if not begin:
            raise FileError(f"{path} holds nothing but blanks.", "Export it again.")
        if begin == "<":
            raise FileError(
                f"{path} is a web page or XML, and no export.",
                "Download it again as CSV or JSON: what was saved may be a page that asks to log in.",
            )
        if begin in "[{":
            return RecordFile(path, shape, "json", found)
    return _open_table(path, shape, encoding)


def _open_table(path: Path, shape: RecordShape, encoding: str | None) -> RecordFile:
    # Which row has the names is known better here than anybody can guess.
    table = open_table(path, ScreenOptions(header=False, encoding=encoding))
    first: list[str] = []
    for place, (_, cells) in enumerate(itertools.islice(table.rows(), SEARCHED_ROWS)):
        names = [plain_word(cell) for cell in cells]
        if all(not set(group).isdisjoint(names) for group in shape.columns):
            return RecordFile(path, shape, table.format["kind"], None, table, names, place + 1)
        if any(map(str.strip, cells)) and len(cells) > len(first):
            first = cells
    raise _lacks(path, shape, first)


def _lacks(path: Path, shape: RecordShape, row: Sequence[str]) -> FileError:
    there = [plain_word(cell) for cell in row]
    missing = next((group for group in shape.columns if set(group).isdisjoint(there)), shape.columns[0])
    names = ", ".join(mask_text(cell.strip()) for cell in row if cell.strip())[:_SHOWN]
    return FileError(
        f"{path} has no column {' or '.join(map(repr, missing))}; there are: {names or 'none'}.",
        "Export it with the names of its columns, or name another profile, which may be one of your own.",
    )
