"""Where the rows of a list wait until all is read: a file without a name, which goes with the process that made it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from ..errors import FileError
from ..suppression.slots import SlotNumbers


class ExportRow(NamedTuple):
    """A row of a list, in the order of its columns (docs/contract.md, section 4). ``number`` is E.164."""

    crm: str
    object: str
    id: str
    slot: str
    number: str
    status: str
    reason: str
    channel: str
    last_screened: str
    segment: str = ""  # with those behind it, of the list of quiet numbers alone
    last_heard: str = ""
    suggestion: str = ""


class SpooledRow(NamedTuple):
    """A row, and what it takes to ask for its opt-outs once more."""

    row: ExportRow
    numbers: SlotNumbers


class Spool:
    """Takes rows, and gives them back in their order. It lies in the folder of the list, where there is room for it.

    It holds full numbers, as the list will: nobody else can open it, and a kill leaves nothing of it.
    """

    def __init__(self, folder: Path) -> None:
        """Raise FileError where the folder takes no file."""
        self._folder = folder
        try:
            self._file = tempfile.TemporaryFile("w+", dir=folder, encoding="ascii")  # noqa: SIM115 - closed at the end of the block
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, page: Iterable[SpooledRow]) -> None:
        """Put a page of rows behind those that are there. Raises FileError where the disk refuses."""
        rows = list(page)
        try:
            if rows:
                self._file.write(json.dumps(rows, separators=(",", ":")) + "\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def pages(self) -> Iterator[list[SpooledRow]]:
        """Yield all rows, a page at a time, as they came."""
        self._file.seek(0)
        for line in self._file:
            yield [_read(row) for row in json.loads(line)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _unwritable(self, error: OSError) -> FileError:
        return FileError(f"{self._folder} takes no file: {error.strerror or error}.", "Name another place.")


def _read(content: Any) -> SpooledRow:
    row, (own, others) = content
    return SpooledRow(ExportRow(*row), SlotNumbers(tuple(own), tuple(others)))
