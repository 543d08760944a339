"""CSV files of Bulk API jobs, held in memory as they would travel: compressed."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader, BytesIO, RawIOBase, TextIOWrapper
from itertools import islice
from typing import Any

from ringfence.core.errors import RetryError

_PIECE = 1 << 16
_AT_ONCE = 1_000


class Sheet:
    """A CSV file that is written once and can be read any number of times; ``len()`` is its size in bytes.

    It never touches a disk, because phone numbers at rest are encrypted; compressed, 50,000 rows are a few megabytes.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._size = 0
        buffer = BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as file:
            for piece in pieces:
                self._size += file.write(piece)
        self._held = buffer.getvalue()

    @classmethod
    def of_rows(cls, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Sheet:
        """Return the rows as CSV with every cell in quotes, so that spaces and line feeds stay what they are."""
        return cls(_lines(header, rows))

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


class _Lines:
    """What csv.writer writes to: it keeps the lines."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.write = self.held.append

    def take(self) -> bytes:
        text = "".join(self.held)
        self.held.clear()
        return text.encode()


def _lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    lines, left = _Lines(), iter(rows)
    writer = csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    while lines.held:
        yield lines.take()
        writer.writerows(islice(left, _AT_ONCE))
