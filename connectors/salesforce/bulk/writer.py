"""Salesforce as :class:`ringfence.core.ports.bulk.BulkJobs`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from ringfence.core.errors import AccessError, RingfenceError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult
from ringfence.core.ports.bulk import BulkWatch
from ringfence.core.ports.services import Clock

from ..client import COLLECTION, HEAVY_SUBREQUESTS, SalesforceClient
from ..errors import AnswerError, Fault, JobGoneError, read_row_error
from ..writer import CompositeWriter
from .csv_sheet import Sheet
from .ingest import FILE_BYTES, NULL, UNPROCESSED, IngestJobs, UpdateSheet, was_uploaded_twice
from .jobs import ABORTED, OPEN, Job

POLLS = 6
CALLS = 3 + POLLS + 2 + 1
"""Calls of one job, at a guess: make, upload, close; looks; two files of results; deletion (facts, section 7)."""

AT_ONCE = COLLECTION * HEAVY_SUBREQUESTS
"""Rows of one Composite call, which takes what a job cannot."""

SLOT_BYTES = 700
"""Bytes of one slot's six companions at the most, as a line of CSV: 255 of a reason, 80 characters of up to four bytes
of a screened value, and the rest (contract, section 2)."""

_JOBS = 2
"""Jobs that are made for the same rows, at most: one whose upload was repeated may be of no use."""

_DOWN = frozenset({"false", "0"})
"""What a lowered flag may look like in a file of results; no file of ours has one."""

_REST_BYTES = 60
_SERVER_BATCH = 10_000
_WRITTEN = RowResult(Outcome.WRITTEN)
_log = logging.getLogger(__name__)


class SalesforceLoad:
    """See :class:`ringfence.core.ports.bulk.BulkLoad`."""

    def __init__(self, client: SalesforceClient, clock: Clock, shape: ObjectShape) -> None:
        self._client = client
        self._clock = clock
        self._shape = shape
        self._jobs = IngestJobs(client, clock)
        self._columns = tuple(sorted(shape.owned_fields()))
        self._rows = UpdateSheet(self._columns)

    def add(self, changes: Sequence[Change]) -> None:
        """Take in changes of the object."""
        self._rows.add(changes)

    def write(self, watch: BulkWatch) -> Iterator[tuple[str, RowResult]]:
        """Write it as one job; rows that it cannot carry, leaves untried or finds locked go by Composite calls.

        All of them go so where Salesforce makes no job. A job that an administrator has aborted is not made up for: its
        rows are refused, and come again in a later run.
        """
        sheet, odd = self._rows.finish(), self._rows.odd
        job = self._begin(sheet, watch)
        if job is None:
            watch.opened("")
            yield from self._write_all(chain(self._changes(sheet), odd))
            return

        job = _wait(self._jobs, job, watch)
        for tried in self._jobs.results(job):
            if tried.fault is not None and _is_worth_resending(tried.fault, job):
                odd.append(self._change(tried.id, tried.cells))
            else:
                yield tried.id, read_row_error(tried.fault) if tried.fault else _WRITTEN
            if len(odd) >= AT_ONCE:
                yield from self._write_all(odd)
                odd.clear()

        yield from self._write_all(odd)
        _clear(self._jobs, job.id)

    def _begin(self, sheet: Sheet, watch: BulkWatch) -> Job | None:
        """Return a job that works on the rows, or None where Salesforce makes none of them."""
        for _ in range(_JOBS):
            try:
                job_id = self._jobs.create_update_job(self._shape.name)
            except (AnswerError, AccessError) as error:
                _log.warning("%s is written without a Bulk job: %s", self._shape.name, error.message)
                return None

            watch.opened(job_id)
            self._jobs.upload(job_id, sheet)

            try:
                return self._jobs.close(job_id)
            except AnswerError as error:
                if not was_uploaded_twice(error):
                    raise

            _log.warning("the Bulk job %s got its rows twice, and is made anew", job_id)
            self._jobs.abort(job_id)
            _clear(self._jobs, job_id)

        return None

    def _changes(self, sheet: Sheet) -> Iterator[Change]:
        rows = sheet.rows()
        header = next(rows)
        for row in rows:
            yield self._change(row[0], dict(zip(header, row, strict=True)))

    def _change(self, record_id: str, cells: Mapping[str, str]) -> Change:
        """Return a row as the change that it was."""
        flag = self._shape.opt_out
        fields = []

        for name in self._columns:
            if not (cell := cells.get(name)):
                continue
            if flag is None or name != flag.field:
                fields.append(FieldChange(name, None, None if cell == NULL else cell))
            elif cell.lower() not in _DOWN:
                # It was uploaded to be raised, in whatever way Salesforce spells it in its results.
                fields.append(FieldChange(name, None, flag.raised))

        return Change.of(self._shape.name, record_id, fields)

    def _write_all(self, changes: Iterable[Change]) -> Iterator[tuple[str, RowResult]]:
        left = iter(changes)
        while some := list(islice(left, AT_ONCE)):
            results = CompositeWriter(self._client, self._clock, some).write()
            yield from zip([change.id for change in some], results, strict=True)


class SalesforceBulk:
    """See :class:`ringfence.core.ports.bulk.BulkJobs`; ``shapes`` are the mapped objects."""

    def __init__(self, client: SalesforceClient, clock: Clock, shapes: Mapping[str, ObjectShape]) -> None:
        self._client = client
        self._clock = clock
        self._shapes = shapes
        self.worth_from = CALLS * AT_ONCE
        self.most = _rows_of_a_file(shapes)

    def load(self, object_name: str) -> SalesforceLoad:
        """Return an empty load of one job."""
        return SalesforceLoad(self._client, self._clock, self._shapes[object_name])

    def outcome(self, reference: str, watch: BulkWatch) -> Iterator[tuple[str, RowResult]] | None:
        """Return what a job did. Rows are left out that may have been written in another way after it: locked and
        untried ones.
        """
        jobs = IngestJobs(self._client, self._clock)
        try:
            job = jobs.get(reference)
            if job.state == OPEN:
                # Its rows never came whole, or were never let go; unless the last request of the run that was killed
                # arrives only now.
                jobs.abort(reference)
                job = jobs.get(reference)  # with the counts, which the answer to the other does not show
                if job.state == ABORTED and not job.processed:
                    _clear(jobs, reference)
                    return iter(())

            told = list(_final_results(jobs, _wait(jobs, job, watch)))
        except (JobGoneError, AnswerError, AccessError) as error:
            # A job that this user may not look at is no better than none: it would stand in the way of every run.
            _log.warning("the rows of the Bulk job %s are read instead: %s", reference, error.message)
            return None

        _clear(jobs, reference)
        return iter(told)


def _final_results(jobs: IngestJobs, job: Job) -> Iterator[tuple[str, RowResult]]:
    for tried in jobs.results(job):
        if tried.fault is None:
            yield tried.id, _WRITTEN
        elif not _is_worth_resending(tried.fault, job):
            yield tried.id, read_row_error(tried.fault)


def _wait(jobs: IngestJobs, job: Job, watch: BulkWatch) -> Job:
    """Return the job once it has ended, telling ``watch`` at every look."""
    for job in jobs.wait(job):  # noqa: B007, B020 - the same job, as it is seen later
        watch.waiting()
    return job


def _clear(jobs: IngestJobs, job_id: str) -> None:
    """Delete a job that was told. A deletion that fails matters little: jobs expire."""
    try:
        jobs.delete(job_id)
    except RingfenceError as error:
        _log.warning("the Bulk job %s could not be deleted, it expires by itself: %s", job_id, error.message)


def _is_worth_resending(fault: Fault, job: Job) -> bool:
    """Return whether the row may pass when it is sent by itself."""
    return fault.locked or (fault.code == UNPROCESSED and job.state == "Failed")


def _rows_of_a_file(shapes: Mapping[str, ObjectShape]) -> int:
    widest = max((len(shape.slots) for shape in shapes.values()), default=1)
    rows = FILE_BYTES // (widest * SLOT_BYTES + _REST_BYTES)
    return rows - rows % _SERVER_BATCH or rows
