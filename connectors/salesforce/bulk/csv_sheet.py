"""CSV files of Bulk API jobs: those we upload and those Salesforce sends."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO, RawIOBase, TextIOWrapper
from itertools import islice
from typing import Any

from ringfence.core.errors import RetryError

CHUNK_BYTES = 1 << 16
"""Bytes of a file that are sent or received at once."""

_BETWEEN = '","'


class Sheet:
    """A CSV file to upload, which can be read any number of times; ``len()`` is its size in bytes.

    It is never written to a disk, because phone numbers at rest are encrypted. Compressed, 60,000 rows are a few
    megabytes.
    """

    def __init__(self, compressed: bytes, size: int) -> None:
        self._compressed = compressed
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file's bytes in chunks."""
        with self._open() as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def rows(self) -> Iterator[list[str]]:
        """Yield the header and then each row, line feeds within quotes kept. Raises RetryError where it is no CSV."""
        with self._open() as file:
            yield from _parse(file)

    def _open(self) -> gzip.GzipFile:
        return gzip.GzipFile(fileobj=BytesIO(self._compressed), mode="rb")


class SheetBuilder:
    """Builds a sheet, compressing rows as they are added."""

    def __init__(self) -> None:
        self._buffer = BytesIO()
        self._file = gzip.GzipFile(fileobj=self._buffer, mode="wb", compresslevel=1)
        self._size = 0

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows, with every cell in quotes, so that spaces and line feeds stay what they are.

        Raises UnicodeEncodeError, and adds none of the rows, where a cell holds half of a surrogate pair.
        """
        self._size += self._file.write("".join(map(_write_line, rows)).encode())

    def finish(self) -> Sheet:
        """Return the sheet; nothing can be added after that."""
        self._file.close()
        return Sheet(self._buffer.getvalue(), self._size)


def _write_line(cells: Sequence[str]) -> str:
    """Return the cells as a line of CSV.

    csv.writer takes four times as long, and millions of lines are written. The separators bring two quotes each; only
    when a line has more are there quotes inside a cell, to be doubled.
    """
    line = _BETWEEN.join(cells)
    if line.count('"') > 2 * (len(cells) - 1):
        line = _BETWEEN.join([cell.replace('"', '""') for cell in cells])
    return f'"{line}"\n'


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A CSV file that Salesforce sent, received to its end.

    ``count`` is the number of rows after the header; ``is_rectangular`` tells whether all are as wide as the header.
    The content is kept as it came: to compress it again took longer than anything else about it.
    """

    content: bytes = field(repr=False)
    header: tuple[str, ...]
    count: int
    is_rectangular: bool

    def rows(self) -> Iterator[list[str]]:
        """Yield each row after the header, line feeds within quotes kept."""
        return islice(_parse(BytesIO(self.content)), 1, None)


def read_result_file(chunks: Iterable[bytes]) -> ResultFile:
    """Return a file of results, parsed once to count its rows. Raises RetryError where it is no CSV."""
    received = BytesIO()
    for chunk in chunks:
        received.write(chunk)

    content = received.getvalue()
    rows = _parse(BytesIO(content))
    header = tuple(next(rows, []))
    widths = Counter(map(len, rows))
    return ResultFile(content, header, widths.total(), not widths.keys() - {len(header)})


def read_rows(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """Yield the rows of a file as it is received, without keeping it. Raises RetryError where it is no CSV."""
    return _parse(BufferedReader(_ChunkStream(chunks), CHUNK_BYTES))


class _ChunkStream(RawIOBase):
    """Chunks of bytes as a stream that can be read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk

        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _parse(file: BufferedReader | BytesIO | gzip.GzipFile) -> Iterator[list[str]]:
    with TextIOWrapper(file, encoding="utf-8", newline="") as text:
        try:
            yield from filter(None, csv.reader(text, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            # The error's own text may quote a cell.
            raise RetryError(f"The answer is not the CSV that Salesforce sends ({type(error).__name__}).") from None
