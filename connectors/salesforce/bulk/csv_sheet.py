"""CSV files of Bulk API jobs."""

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

_PIECE = 1 << 16
_BETWEEN = '","'


class Sheet:
    """A CSV file to send, which can be read any number of times; ``len()`` is its size in bytes.

    It never touches a disk, because phone numbers at rest are encrypted; compressed, 60,000 rows are a few megabytes.
    """

    def __init__(self, held: bytes, size: int) -> None:
        self._held = held  # compressed
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file's bytes, piece by piece."""
        with self._open() as file:
            while piece := file.read(_PIECE):
                yield piece

    def rows(self) -> Iterator[list[str]]:
        """Yield the header and then each row, line feeds within quotes kept. Raises RetryError where it is no CSV."""
        with self._open() as file:
            yield from _parse(file)

    def _open(self) -> gzip.GzipFile:
        return gzip.GzipFile(fileobj=BytesIO(self._held), mode="rb")


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A CSV file that Salesforce sent, whole: its header, how many rows follow, and whether all are as wide as it is.

    It is held as it came: to compress it again took longer than anything else about it.
    """

    content: bytes = field(repr=False)
    header: tuple[str, ...]
    count: int
    even: bool

    def rows(self) -> Iterator[list[str]]:
        """Yield each row after the header, line feeds within quotes kept."""
        return islice(_parse(BytesIO(self.content)), 1, None)


def read_rows(pieces: Iterable[bytes]) -> Iterator[list[str]]:
    """Yield the rows of a file that is not kept, as it comes. Raises RetryError where it is no CSV."""
    return _parse(BufferedReader(_Pieces(pieces), _PIECE))


class _Pieces(RawIOBase):
    """Pieces of a file as a stream of bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        some, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(some)] = some
        return len(some)


def _parse(file: BufferedReader | BytesIO | gzip.GzipFile) -> Iterator[list[str]]:
    with TextIOWrapper(file, encoding="utf-8", newline="") as text:
        try:
            yield from filter(None, csv.reader(text, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            # The error's own text may quote a cell.
            raise RetryError(f"The answer is not the CSV that Salesforce sends ({type(error).__name__}).") from None


class SheetBuilder:
    """Makes a sheet."""

    def __init__(self) -> None:
        self._buffer = BytesIO()
        self._file = gzip.GzipFile(fileobj=self._buffer, mode="wb", compresslevel=1)
        self._size = 0

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Take in rows, with every cell in quotes, so that spaces and line feeds stay what they are.

        Raises UnicodeEncodeError, and takes in none of them, where a cell holds half a character.
        """
        self._size += self._file.write("".join(map(_line, rows)).encode())

    def finish(self) -> Sheet:
        """Return the sheet; nothing can be added after that."""
        self._file.close()
        return Sheet(self._buffer.getvalue(), self._size)


def _line(cells: Sequence[str]) -> str:
    # csv.writer takes four times as long, and millions of lines are written. What stands between two cells brings two
    # quotes; any more are in the cells.
    line = _BETWEEN.join(cells)
    if line.count('"') > 2 * (len(cells) - 1):
        line = _BETWEEN.join([cell.replace('"', '""') for cell in cells])
    return f'"{line}"\n'


def read_result_file(pieces: Iterable[bytes]) -> ResultFile:
    """Return a file of a job, looked over, from the pieces as they come. Raises RetryError where it is no CSV."""
    held = BytesIO()
    for piece in pieces:
        held.write(piece)

    content = held.getvalue()
    rows = _parse(BytesIO(content))
    header = tuple(next(rows, []))
    widths = Counter(map(len, rows))
    return ResultFile(content, header, widths.total(), not widths.keys() - {len(header)})
