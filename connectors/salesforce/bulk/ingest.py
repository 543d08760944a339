"""Ingest jobs: many updates in few calls, each row's result told afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from requests import Response

from ringfence.core.errors import RetryError
from ringfence.core.model.values import Change, Value
from ringfence.core.ports.services import Clock

from ..client import SalesforceClient
from ..errors import AnswerError, Fault, read_job_fault
from ..fields import write_moment
from .csv_sheet import ResultFile, Sheet, SheetBuilder, read_result_file, read_rows
from .jobs import OPEN, Job, JobCalls

FILE_BYTES = 100_000_000
"""Bytes of one upload: Salesforce takes 150 MB of what it makes of it, which may grow by a half (section 2.3)."""

NULL = "#N/A"
"""What empties a field; an empty cell leaves it alone."""

UNPROCESSED = "UNPROCESSED"
"""Our code for a row that the job ended without coming to."""

Held = TypeVar("Held")

_NO_CELLS: Mapping[str, str] = {}
_ID = "Id"
_ERROR = "sf__Error"
_PIECE = 1 << 16
_log = logging.getLogger(__name__)


class IngestResult(NamedTuple):
    """What became of an uploaded row: ``fault`` is None where it was written, else ``cells`` are those uploaded."""

    id: str
    fault: Fault | None
    cells: Mapping[str, str] = _NO_CELLS


class IngestJobs(JobCalls):
    """The update jobs of one org, counted as writes. No assignment rule runs: that needs a rule's id in the job."""

    def __init__(self, client: SalesforceClient, clock: Clock) -> None:
        super().__init__(client, clock, "ingest", "write")

    def create_update_job(self, object_name: str) -> str:
        """Make a job that takes rows of one object, and return its id."""
        form = {"contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"}
        return self.create({"object": object_name, "operation": "update", **form}).id

    def upload(self, job_id: str, sheet: Sheet) -> None:
        """Send the rows of an open job, all at once. Raises ValueError for a file above 100 MB."""
        if len(sheet) > FILE_BYTES:
            raise ValueError(f"an upload may have {FILE_BYTES:,} bytes, not {len(sheet):,}")

        head = {"Content-Type": "text/csv; charset=UTF-8"}
        try:
            self.ask("PUT", f"{job_id}/batches", lambda _answer: None, done=201, data=sheet, headers=head)
        except AnswerError as error:
            # Where a second upload is refused, the first one arrived, and its answer was lost.
            if not was_uploaded_twice(error) or self.get(job_id).state != OPEN:
                raise

    def close(self, job_id: str) -> Job:
        """Let Salesforce begin, and return the job; one that has begun already is left alone.

        Where the rows :func:`was_uploaded_twice`, the job never begins: it has to be aborted, and another one made.
        """
        try:
            return self.move(job_id, "UploadComplete")
        except AnswerError:
            job = self.get(job_id)
            if job.state == OPEN:
                raise
            return job

    def abort(self, job_id: str) -> Job:
        """End a job, and return it; what it has written stays, and one that has ended is left alone."""
        try:
            return self.move(job_id, "Aborted")
        except AnswerError:
            job = self.get(job_id)
            if not job.ended:
                raise
            return job

    def results(self, job: Job) -> Iterator[IngestResult]:
        """Yield each uploaded row of a job that has ended, by its uploaded id and once: refused, not come to, written.

        Who sent the rows has to see that each of them was named: one that was not counts as not written.
        """
        named: set[str] = set()
        for tried in self._unwritten(job):
            if tried.id not in named:
                named.add(tried.id)
                yield tried

        # Nothing is kept of this file but the ids.
        written = self._ask_for(job, "successfulResults", job.processed - job.failed, _read_ids)
        for record_id in dict.fromkeys(written):
            if record_id not in named:
                yield IngestResult(record_id, None)

    def _unwritten(self, job: Job) -> Iterator[IngestResult]:
        if job.failed or not job.complete:
            for cells in self._read(job, "failedResults", job.failed, _ID, _ERROR):
                yield IngestResult(cells.get(_ID, ""), read_job_fault(cells.get(_ERROR, "")), cells)
        if not job.complete:
            why = f": {job.error}" if job.error else ""
            fault = Fault(UNPROCESSED, f"the job ended as {job.state} before it came to this row{why}")
            for cells in self._read(job, "unprocessedrecords", None, _ID):
                yield IngestResult(cells.get(_ID, ""), fault, cells)

    def _read(self, job: Job, name: str, expected: int | None, *columns: str) -> Iterator[dict[str, str]]:
        file = self._ask_for(job, name, expected, lambda answer: _hold(answer, columns))
        for row in file.rows():
            yield dict(zip(file.header, row, strict=False))

    def _ask_for(self, job: Job, name: str, expected: int | None, use: Callable[[Response], tuple[int, Held]]) -> Held:
        """Return a file of results, asked for once more where it names fewer rows than the job counts."""
        count, held = self.ask("GET", f"{job.id}/{name}", use)
        if expected is not None and count < expected:
            count, held = self.ask("GET", f"{job.id}/{name}", use)
        if expected not in (None, count):
            _log.warning("%s of the Bulk job %s names %d rows of %s", name, job.id, count, expected)
        return held


def was_uploaded_twice(error: AnswerError) -> bool:
    """Return whether a job is refused because its rows were uploaded twice, as when the first answer was lost.

    Salesforce says so at the second upload or when the job is closed, in words that it has spelled in several ways.
    """
    return "contents for job" in error.fault.words


def _read_ids(answer: Response) -> tuple[int, list[str]]:
    rows = read_rows(answer.iter_content(_PIECE))
    header = next(rows, [])
    _check_header(header, [_ID])
    place = header.index(_ID) if header else 0
    ids = [row[place] for row in rows if len(row) > place]
    return len(ids), ids


def _hold(answer: Response, columns: Collection[str]) -> tuple[int, ResultFile]:
    file = read_result_file(answer.iter_content(_PIECE))
    _check_header(file.header, columns)
    return file.count, file


def _check_header(header: Sequence[str], columns: Collection[str]) -> None:
    """Raise RetryError where the first row is none of column names: it may be the page of a proxy."""
    if header and not set(columns) <= set(header):
        raise RetryError("The results of a Bulk job came without the columns that Salesforce gives them.")


class UpdateSheet:
    """The file of an update job: the new values of one change a row; what a row lacks stays as it is in Salesforce.

    ``columns`` are the fields that a row may change. ``odd`` are the changes that no row can say: a field of theirs is
    no column, :func:`write_cell` gives None, or a text cannot be encoded.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.odd: list[Change] = []
        self._column_order = _ColumnOrder(columns)
        self._made = SheetBuilder()
        self._made.add([(_ID, *columns)])

    def add(self, changes: Sequence[Change]) -> None:
        """Take in changes."""
        before = len(self.odd)
        try:
            self._made.add(self._rows(changes))
        except UnicodeEncodeError:
            # A text that was cut off inside a surrogate pair: too seldom to look at every text for it.
            del self.odd[before:]
            self.odd += [change for change in changes if not _is_encodable(change)]
            self._made.add(self._rows(filter(_is_encodable, changes)))

    def finish(self) -> Sheet:
        """Return the file; nothing can be added after that."""
        return self._made.finish()

    def _rows(self, changes: Iterable[Change]) -> Iterator[Sequence[str]]:
        for change in changes:
            place = self._column_order[change.names]
            # What begins with a printable character behind "#" is itself; asking for it here spares most of the calls.
            cells = [v if v.__class__ is str and "$" <= v < "\x7f" else write_cell(v) for v in change.new]
            if place is None or None in cells:
                self.odd.append(change)
            else:
                yield place((change.id, *cells, ""))


def _is_encodable(change: Change) -> bool:
    try:
        for value in change.new:
            str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


class _ColumnOrder(dict[tuple[str, ...], Callable[[Sequence[Any]], Sequence[str]] | None]):
    """Names of fields to what puts (id, their cells, an empty cell) into the order of the columns; None for others."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__()
        self._columns = columns

    def __missing__(self, names: tuple[str, ...]) -> Callable[[Sequence[Any]], Sequence[str]] | None:
        places = {name: place for place, name in enumerate(names, start=1)}
        in_order = [0, *(places.get(name, -1) for name in self._columns)]
        known = places.keys() <= set(self._columns)
        place = self[names] = itemgetter(*in_order) if known and self._columns else None
        return place


def write_cell(value: Value) -> str | None:
    """Return a value as a cell; a text that is empty empties the field, as it does elsewhere.

    None where no cell can say it: a text that looks like the mark of emptiness, or only like space, would arrive as
    something else.
    """
    if value is None or value == "":
        return NULL
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return write_moment(value)
    return None if value.strip() in ("", NULL) else value
