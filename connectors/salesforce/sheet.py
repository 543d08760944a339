"""CSV files of Bulk API jobs, held in memory as they would travel: compressed."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader, BytesIO, RawIOBase, TextIOWrapper
from typing import Any, NamedTuple

from ringfence.core.errors import RetryError

_PIECE = 1 << 16
_BETWEEN = '","'


class Sheet:
    """A CSV file that can be read any number of times; ``len()`` is its size in bytes.

    It never touches a disk, because phone numbers at rest are encrypted; compressed, 50,000 rows are a few megabytes.
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


class Kept(NamedTuple):
    """A sheet with its first row, and how many of the other rows have how many cells."""

    sheet: Sheet
    header: tuple[str, ...]
    widths: Counter[int]


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


def _parse(file: BufferedReader | gzip.GzipFile) -> Iterator[list[str]]:
    with TextIOWrapper(file, encoding="utf-8", newline="") as text:
        try:
            yield from filter(None, csv.reader(text, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            # The error's own text may quote a cell.
            raise RetryError(f"The answer is not the CSV that Salesforce sends ({type(error).__name__}).") from None


class SheetMaker:
    """Makes a sheet, of bytes as they come or row by row."""

    def __init__(self) -> None:
        self._buffer = BytesIO()
        self._file = gzip.GzipFile(fileobj=self._buffer, mode="wb", compresslevel=1)
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Take in bytes of a file."""
        self._size += self._file.write(piece)

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Take in the pieces of a file one by one, and hand each of them on."""
        for piece in pieces:
            self.write(piece)
            yield piece

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Take in rows, with every cell in quotes, so that spaces and line feeds stay what they are.

        Raises UnicodeEncodeError, and takes in none of them, where a cell holds half a character.
        """
        self.write("".join(map(_line, rows)).encode())

    def finish(self) -> Sheet:
        """Return the sheet; nothing can be added after that."""
        self._file.close()
        return Sheet(self._buffer.getvalue(), self._size)


def _line(cells: Sequence[str]) -> str:
    # csv.writer takes four times as long, and millions of lines are written.
    line = _BETWEEN.join(cells)
    if line.count('"') > 2 * (len(cells) - 1):
        line = _BETWEEN.join([cell.replace('"', '""') for cell in cells])
    return f'"{line}"\n'


def keep(pieces: Iterable[bytes]) -> Kept:
    """Return a file that comes in pieces as a sheet, looked over. Raises RetryError where it is no CSV."""
    made = SheetMaker()
    rows = read_rows(made.passing(pieces))
    header = tuple(next(rows, []))
    widths = Counter(map(len, rows))
    return Kept(made.finish(), header, widths)
