"""A query job: the rows of the moment when it was created, as CSV.

They come in the order of chunks of ids that were read side by side (PK chunking), so not by Id, unless the query has
ORDER BY or LIMIT (salesforce facts, section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, ClassVar

from .bulk_jobs import QUEUED_SHARE, Job
from .bulk_sheet import Format, Sheet
from .schema import ObjectSpec
from .soql_run import Found
from .table import Row

if TYPE_CHECKING:
    from .org import SalesforceOrg

LARGEST_CHUNK = 2_000


@dataclass(slots=True, kw_only=True)
class QueryJob(Job):
    """A query job with all of its results, of which nothing can be read before it is complete."""

    kind: ClassVar[str] = "V2Query"
    results: Sheet

    def advance(self, org: SalesforceOrg, now: datetime) -> bool:  # noqa: ARG002  # jobs share one signature
        """Take the next state when it is due."""
        share = self.share(now)
        if self.state == "UploadComplete" and share >= QUEUED_SHARE:
            self.move("InProgress", now)
        elif self.state == "InProgress" and share >= 1:
            if self.failure:
                self.fail(self.failure.message, now)
            else:
                self.move("JobComplete", now)
        else:
            return False
        return True

    def wait(self) -> float:
        """Return when the next state is due."""
        return QUEUED_SHARE if self.state == "UploadComplete" else 1.0

    def progress(self, now: datetime) -> Mapping[str, object]:
        """Return how many rows have been read."""
        share = {"JobComplete": 1.0, "InProgress": self.share(now)}.get(self.state, 0.0)
        return {"numberRecordsProcessed": int(share * len(self.results))}


def sheet_of(found: Found, spec: ObjectSpec, form: Format, seed: str | None) -> Sheet:
    """Return the rows of a query as CSV; `seed` decides the order of the chunks, None keeps the order of the rows."""
    sheet = Sheet(next(form.lines([found.names], quoted=True)))
    rows = found.rows if seed is None else _chunked(found.rows, seed)
    sheet.add(form.lines(_cells(found.names, spec, rows), quoted=True))
    return sheet


def _chunked(rows: list[Row], seed: str) -> Iterator[Row]:
    size = max(1, min(LARGEST_CHUNK, len(rows) // 8))
    starts = list(range(0, len(rows), size))
    Random(seed).shuffle(starts)  # noqa: S311  # repeatable on purpose
    return (row for start in starts for row in rows[start : start + size])


def _cells(names: tuple[str, ...], spec: ObjectSpec, rows: Iterable[Row]) -> Iterator[list[object]]:
    fields = spec.fields
    words = [at for at, name in enumerate(names) if fields[name].type == "boolean"]
    moments = [at for at, name in enumerate(names) if fields[name].type == "datetime"]
    for row in rows:
        cells: list[object] = list(map(row.get, names))  # as row[name], without a call for each empty field
        for at in words:
            cells[at] = "true" if cells[at] is True else "false"
        for at in moments:
            if (moment := cells[at]) is not None:
                cells[at] = f"{moment}".replace("+0000", "Z")
        yield cells
