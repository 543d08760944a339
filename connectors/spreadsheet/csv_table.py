"""CSV, read and written in constant memory; each record is written back character by character as it was read."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from ringfence.core.errors import FileError

from .companions import Layout
from .dialect import MAX_RECORD, Dialect, detect_dialect
from .encoding import HEAD_BYTES, Encoding, detect_encoding, read_head
from .formulas import make_harmless
from .header_row import SEARCHED_ROWS
from .options import ScreenOptions
from .table import describe_header, name_columns, place_header


class CsvTable:
    """A CSV file in its encoding and dialect."""

    def __init__(self, path: Path, options: ScreenOptions) -> None:
        """Detect encoding, dialect and header. Raises FileError for what is no text, or holds no line of a table."""
        self.path = path
        self.encoding = detect_encoding(path, options.encoding)
        head = read_head(path)
        sample = self.encoding.decode(head)
        self.dialect = detect_dialect(sample, complete=len(head) < HEAD_BYTES, delimiter=options.delimiter)

        rows = [cells for _, cells in itertools.islice(self._records(), self._lead, self._lead + SEARCHED_ROWS)]
        if not rows:
            raise FileError(f"{path} holds no table.", "Give a file with at least a header line.")
        self.header_row = place_header(rows, options)
        self.columns = name_columns(rows[self.header_row - 1] if self.header_row else [""] * self._widest())
        self.notes: tuple[str, ...] = describe_header(self.header_row)

    @property
    def format(self) -> dict[str, str]:
        """Return how the file is written, for the preview."""
        return {"kind": "csv", "encoding": self.encoding.label, "delimiter": self.dialect.delimiter}

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """Return (record as written, its cells) for each row below the header.

        Raises FileError, while they are read, for broken quoting and undecodable text.
        """
        return itertools.islice(self._records(), self._lead + (self.header_row or 0), None)

    def estimate(self, rows: int, size: int) -> int:
        """Return about how many rows the file holds, judged by its size in bytes."""
        total = self.path.stat().st_size
        unit = len("a".encode(self.encoding.name))
        return max(rows, round(rows * total / (size * unit))) if size else rows

    @contextmanager
    def writer(self, target: Path, layout: Layout) -> Iterator[CsvWriter]:
        """Return a writer in the same encoding and dialect; what stands above the first row is already written."""
        with target.open("wb") as binary:
            binary.write(self.encoding.bom)
            with TextIOWrapper(binary, self.encoding.name, self.encoding.errors, newline="") as stream:
                writer = CsvWriter(stream, self.encoding, self.dialect, layout)
                lead = [record for record, _ in itertools.islice(self._records(), self._lead + (self.header_row or 0))]
                header = lead.pop() if self.header_row else None
                stream.writelines(lead)
                if header is not None:
                    writer.write_header(header)

                yield writer

                stream.flush()
                os.fsync(binary.fileno())

    @property
    def _lead(self) -> int:
        """Return how many records stand before the table: Excel's ``sep=`` line."""
        return int(self.dialect.sep_line)

    def _widest(self) -> int:
        return max(len(cells) for _, cells in itertools.islice(self._records(), self._lead, 1000))

    def _records(self) -> Iterator[tuple[str, list[str]]]:
        with self.path.open("rb") as binary:
            binary.seek(len(self.encoding.bom))
            with TextIOWrapper(binary, self.encoding.name, self.encoding.errors, newline="") as stream:
                try:
                    yield from self._parse(stream)
                except UnicodeDecodeError as error:
                    raise FileError(
                        f"{self.path} is not valid {self.encoding.name}.", "Name its encoding, or export it again."
                    ) from error

    def _parse(self, stream: TextIO) -> Iterator[tuple[str, list[str]]]:
        held: list[str] = []
        line = 0

        def feed() -> Iterator[str]:
            size = 0
            for text in iter(partial(stream.readline, MAX_RECORD), ""):
                size = len(text) if not held else size + len(text)
                if size >= MAX_RECORD:
                    raise self._unclosed(line + 1) if held or self.dialect.quote in text else self._endless(line + 1)
                held.append(text)
                yield text

        raw = ""
        for cells in self.dialect.read(feed()):
            raw = held[0] if len(held) == 1 else "".join(held)
            # A record over several lines is where a stray quotation mark would swallow rows.
            if len(held) > 1 and not self._is_sound(held):
                raise self._unclosed(line + 1)
            line += len(held)
            held.clear()
            yield raw, cells

        # An open last cell would swallow the companions.
        if raw and sum(1 for _ in self.dialect.read([raw.rstrip("\r\n") + "\n", "end\n"])) < 2:
            raise self._unclosed(line)

    def _is_sound(self, lines: list[str]) -> bool:
        try:
            return sum(1 for _ in self.dialect.read(lines, strict=True)) == 1
        except csv.Error:
            return False

    def _endless(self, line: int) -> FileError:
        return FileError(
            f"{self.path}, line {line} has more than {MAX_RECORD:,} characters.", "Check that it is a table with lines."
        )

    def _unclosed(self, line: int) -> FileError:
        return FileError(
            f"{self.path}, line {line}: a quotation mark opens a cell that is not closed properly.",
            "Close it, or double it where it belongs to the text.",
        )


class CsvWriter:
    """Writes records as they were read, with the companions behind them or in their old place."""

    def __init__(self, stream: TextIO, encoding: Encoding, dialect: Dialect, layout: Layout) -> None:
        self._stream = stream
        self._encoding = encoding
        self._dialect = dialect
        self._layout = layout

    def write_header(self, record: str) -> None:
        """Write the header with the names of the new columns behind its last one."""
        body, end = _split_end(record)
        names = [self._dialect.write(self._encoding.fit(name)) for name in self._layout.appended_names]
        written = self._dialect.split(body)
        row = [*written[: self._layout.width], *names, *written[self._layout.width :]]
        self._stream.write(self._dialect.delimiter.join(row) + end)

    def render(self, values: Sequence[str]) -> tuple[str, ...]:
        """Return the values harmless to spreadsheets, quoted as in this file, less what its encoding cannot write."""
        values = tuple(value if value[:1].isalnum() else make_harmless(value) for value in values)
        together = "".join(values)
        if together.isascii() and self._dialect.is_plain(together):
            return values
        return tuple(self._dialect.write(self._encoding.fit(value)) for value in values)

    def write(self, row: str, cells: list[str], additions: Sequence[Sequence[str]]) -> None:
        """Write one record and its companions. A blank line stays a blank line."""
        if not cells:
            self._stream.write(row)
            return
        body, end = _split_end(row)
        delimiter = self._dialect.delimiter
        if not self._layout.replaced and len(cells) == self._layout.width:
            self._stream.write(body + delimiter + delimiter.join(itertools.chain.from_iterable(additions)) + end)
            return
        placed = self._layout.place(self._dialect.split(body), additions, self._dialect.write(""))
        self._stream.write(delimiter.join(placed) + end)


def _split_end(record: str) -> tuple[str, str]:
    body = record.rstrip("\r\n")
    return body, record[len(body) :]
