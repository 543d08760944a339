"""CSV lines in a temporary file, because the results of a job can have a million of them."""

from __future__ import annotations

import csv
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate, islice
from tempfile import SpooledTemporaryFile

IN_MEMORY_BYTES = 1 << 20
AT_ONCE = 1_000
DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass(frozen=True, slots=True)
class Format:
    """How the CSV of a job is written: names of `lineEnding` and `columnDelimiter` as the API has them."""

    line_ending: str = "LF"
    delimiter: str = "COMMA"

    def lines(self, rows: Iterable[Sequence[object]], *, quoted: bool) -> Iterator[str]:
        """Yield one line per row, None as an empty cell; `quoted` puts every cell in quotes, else only where needed."""
        held: list[str] = []
        writer = csv.writer(
            _Writable(held),
            delimiter=DELIMITERS[self.delimiter],
            lineterminator=LINE_ENDINGS[self.line_ending],
            quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
        )
        left = iter(rows)

        while some := list(islice(left, AT_ONCE)):
            writer.writerows(some)
            yield from held
            held.clear()

    def read(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Yield the rows of CSV lines that keep their ends; raises csv.Error."""
        return filter(None, csv.reader(lines, delimiter=DELIMITERS[self.delimiter]))


class _Writable:
    """The file-like object that csv.writer writes its lines to."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


class Sheet:
    """A header and lines below it, in a file that disappears with the sheet; any range of lines can be read again."""

    def __init__(self, header: str) -> None:
        self.header = header.encode()
        self._ends = array("Q", [0])
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed when the sheet goes
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def size(self) -> int:
        """Bytes of all lines, without the header."""
        return self._ends[-1]

    def add(self, lines: Iterable[str]) -> None:
        """Append lines that bring their line ends."""
        self._file.seek(0, 2)
        left = iter(lines)
        while some := list(islice(left, AT_ONCE)):
            raw = "".join(some).encode()
            self._file.write(raw)
            widths = map(len, some if len(raw) == sum(map(len, some)) else map(str.encode, some))
            self._ends.extend(islice(accumulate(widths, initial=self._ends[-1]), 1, None))

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """Return the header and the lines from `start` up to `stop`, without it."""
        last = len(self) if stop is None else min(stop, len(self))
        self._file.seek(self._ends[start])
        return self.header + self._file.read(self._ends[last] - self._ends[start])


class Upload:
    """The CSV of an ingest job as it was uploaded: `columns` of its header, and how many `rows` follow.

    `fault` says, in the service's words, why it cannot be read as CSV of this form; then there are no rows.
    """

    def __init__(self, raw: bytes, form: Format) -> None:
        self._form = form
        self._raw = raw
        self.columns: list[str] = []
        self.rows = 0
        self.fault = _line_ending_fault(raw, form)

        try:
            reader = form.read(_lines(raw))
            self.columns = next(reader, [])
            self.rows = sum(1 for _ in reader)
        except (csv.Error, UnicodeDecodeError) as error:
            self.fault = self.fault or f"InvalidBatch : Failed to parse CSV data: {error}"
            self.rows = 0

    def after(self, done: int) -> Iterator[list[str]]:
        """Yield the rows after the first `done` ones, padded to the width of the header."""
        width = len(self.columns)
        for cells in islice(self._form.read(_lines(self._raw)), 1 + done, 1 + self.rows):
            yield cells + [""] * (width - len(cells))

    def drop(self) -> None:
        """Free the rows, once all of them are done."""
        self._raw = b""


def _lines(raw: bytes) -> Iterator[str]:
    return map(bytes.decode, BytesIO(raw))


def _line_ending_fault(raw: bytes, form: Format) -> str:
    first = raw[: raw.find(b"\n") + 1]
    if not first or first.endswith(b"\r\n") is (form.line_ending == "CRLF"):
        return ""
    return f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {form.line_ending}"
