"""A query job: the rows that the query found when the job was made, read after that and written as CSV.

They come in the order of chunks of ids that were read side by side (PK chunking), so not by Id, unless the query has
ORDER BY or LIMIT (docs/vendors/salesforce.md, section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from random import Random
from typing import ClassVar

from .bulk_jobs import QUEUED_SHARE, Job
from .bulk_sheet import Format, Sheet
from .rolling import Rolling
from .soql.found import Found
from .table import Row

LARGEST_CHUNK = 2_000
STEP_ROWS = 2_000
"""Rows that are read at once: other requests are answered between two steps."""


@dataclass(slots=True, kw_only=True)
class QueryJob(Job):
    """A query job; none of its results can be read before it is complete.

    `stored_kb` counts the kilobytes of results against the daily limit of the org.
    """

    kind: ClassVar[str] = "V2Query"
    extract: Extract
    stored_kb: Rolling

    @property
    def results(self) -> Sheet:
        """The rows read so far."""
        return self.extract.sheet

    def advance(self, now: datetime) -> bool:
        """Move to the next state, or read the next rows, if that is due at `now`; return whether it was."""
        if self.share(now) < self.wait():
            return False

        if self.state == "UploadComplete":
            self.move("InProgress", now)
        elif not self.extract.done:
            self.extract.step()
        elif self.failure:
            self.fail(self.failure.message, now)
        else:
            self.stored_kb.take(now, self.results.size // 1000)
            self.move("JobComplete", now)

        return True

    def wait(self) -> float:
        """Return when the next step is due: rows are read at once, but shown only when the job's time has passed."""
        return 1.0 if self.extract.done and self.state == "InProgress" else QUEUED_SHARE

    def progress(self, now: datetime) -> Mapping[str, object]:
        """Return how many rows have been read, but no more than the share of the job's time that has passed."""
        read = len(self.results)
        if self.state == "InProgress":
            read = min(read, int(self.share(now) * self.extract.rows))
        return {"numberRecordsProcessed": read}


class Extract:
    """The rows of a query on their way into a sheet, each as it is when it is read.

    `seed` decides the order of the chunks, None keeps the order of the rows. `rows` counts all, read or not.
    """

    def __init__(self, found: Found, form: Format, seed: str | None) -> None:
        self.sheet = Sheet(next(form.lines([found.headers], quoted=True)))
        self.rows = len(found.rows)
        self.done = False
        self._found = found
        self._form = form
        self._left = iter(found.rows if seed is None else _chunked(found.rows, seed))

    def step(self) -> None:
        """Read the next STEP_ROWS rows into the sheet."""
        rows = list(islice(self._left, STEP_ROWS))
        self.sheet.add(self._form.lines(_cells(self._found, rows), quoted=True))
        self.done = len(rows) < STEP_ROWS


def _chunked(rows: list[Row], seed: str) -> Iterator[Row]:
    size = max(1, min(LARGEST_CHUNK, len(rows) // 8))
    starts = list(range(0, len(rows), size))
    Random(seed).shuffle(starts)  # noqa: S311  # repeatable on purpose
    return (row for start in starts for row in rows[start : start + size])


def _cells(found: Found, rows: Iterable[Row]) -> Iterator[list[object]]:
    columns, names = found.columns, found.headers
    words = [at for at, column in enumerate(columns) if column.type == "boolean"]
    moments = [at for at, column in enumerate(columns) if column.type == "datetime"]
    parents = [(at, column.get) for at, column in enumerate(columns) if column.steps]

    for row in rows:
        cells: list[object] = list(map(row.get, names))  # as row[name], without a call for each empty field
        for at, get in parents:
            cells[at] = get(row)
        for at in words:
            cells[at] = "true" if cells[at] is True else "false"
        for at in moments:
            if (moment := cells[at]) is not None:
                cells[at] = f"{moment}".replace("+0000", "Z")
        yield cells
