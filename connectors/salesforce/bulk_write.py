"""Salesforce as :class:`ringfence.core.ports.BulkJobs`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ringfence.core.errors import AccessError, RingfenceError
from ringfence.core.ports import BulkWatch, Clock
from ringfence.core.shapes import ObjectShape
from ringfence.core.values import Change, FieldChange, Outcome, RowResult

from .bulk_ingest import FILE_BYTES, NULL, UNPROCESSED, IngestJobs, Tried, make_sheet
from .bulk_jobs import OPEN, Job
from .client import COLLECTION, HEAVY_SUBREQUESTS, SalesforceClient
from .errors import AnswerError, Fault, JobGoneError, read_row
from .write import Writer

POLLS = 5
CALLS = 3 + POLLS + 2 + 1
"""Calls of one job, at a guess: make, upload, close; looks; two files of results; deletion (facts, section 7)."""

AT_ONCE = COLLECTION * HEAVY_SUBREQUESTS
"""Rows of one Composite call, which takes what a job cannot."""

SLOT_BYTES = 700
"""Bytes of one slot's six companions at the most, as a line of CSV: 255 of a reason, 80 characters of up to four bytes
of a screened value, and the rest (contract, section 2)."""

_REST_BYTES = 60
_SERVER_BATCH = 10_000
_WRITTEN = RowResult(Outcome.WRITTEN)
_log = logging.getLogger(__name__)


class SalesforceBulk:
    """See :class:`ringfence.core.ports.BulkJobs`; ``shapes`` are the mapped objects."""

    def __init__(self, client: SalesforceClient, clock: Clock, shapes: Mapping[str, ObjectShape]) -> None:
        self._client = client
        self._clock = clock
        self._shapes = shapes
        self._jobs = IngestJobs(client, clock)
        self.worth_from = CALLS * AT_ONCE
        self.most = _rows_of_a_file(shapes)

    def write(self, object_name: str, changes: Iterable[Change], watch: BulkWatch) -> Iterator[tuple[str, RowResult]]:
        """Write changes as one job; rows that it cannot carry, leaves untried or finds locked go by Composite calls.

        All of them go so where Salesforce makes no job. A job that an administrator has aborted is not made up for: its
        rows are refused, and come again in a later run.
        """
        try:
            job_id = self._jobs.create_update_job(object_name)
        except (AnswerError, AccessError) as error:
            _log.warning("%s is written without a Bulk job: %s", object_name, error.message)
            watch.opened("")
            yield from self._write_all(changes)
            return
        watch.opened(job_id)
        odd: list[Change] = []
        columns = _columns(self._shapes[object_name])
        self._jobs.upload(job_id, make_sheet(columns, changes, odd.append))
        job = self._wait(self._jobs.close(job_id), watch)
        for tried in self._jobs.results(job):
            if tried.fault is not None and _may_help(tried.fault, job):
                odd.append(self._again(object_name, tried))
            else:
                yield tried.id, read_row(tried.fault) if tried.fault else _WRITTEN
            if len(odd) >= AT_ONCE:
                yield from self._write_all(odd)
                odd = []
        yield from self._write_all(odd)
        self._delete(job_id)

    def outcome(self, reference: str, watch: BulkWatch) -> Iterator[tuple[str, RowResult]] | None:
        """Return what a job did. Rows are left out that may have been written in another way after it: locked and
        untried ones.
        """
        try:
            job = self._jobs.get(reference)
            if job.state == OPEN:
                # Its rows never came whole, or were never let go: nothing of them was written.
                self._jobs.abort(reference)
                self._delete(reference)
                return iter(())
            return self._told(self._wait(job, watch))
        except JobGoneError:
            return None

    def _told(self, job: Job) -> Iterator[tuple[str, RowResult]]:
        for tried in self._jobs.results(job):
            if tried.fault is None:
                yield tried.id, _WRITTEN
            elif not _may_help(tried.fault, job):
                yield tried.id, read_row(tried.fault)
        self._delete(job.id)

    def _wait(self, job: Job, watch: BulkWatch) -> Job:
        for job in self._jobs.wait(job):  # noqa: B007, B020 - the same job, as it is seen later
            watch.waiting()
        return job

    def _again(self, object_name: str, tried: Tried) -> Change:
        """Return a row of a results file as the change that it was."""
        shape = self._shapes[object_name]
        fields = [
            FieldChange(name, None, _read_cell(shape, name, cell))
            for name in _columns(shape)
            if (cell := tried.cells.get(name))
        ]
        return Change.of(object_name, tried.id, fields)

    def _write_all(self, changes: Iterable[Change]) -> Iterator[tuple[str, RowResult]]:
        left = iter(changes)
        while some := list(islice(left, AT_ONCE)):
            results = Writer(self._client, self._clock, some).write()
            yield from zip([change.id for change in some], results, strict=True)

    def _delete(self, job_id: str) -> None:
        try:
            self._jobs.delete(job_id)
        except RingfenceError as error:
            _log.warning("the Bulk job %s could not be deleted, it expires by itself: %s", job_id, error.message)


def _columns(shape: ObjectShape) -> tuple[str, ...]:
    return tuple(sorted(shape.owned_fields()))


def _may_help(fault: Fault, job: Job) -> bool:
    """Return whether the row may pass when it is sent by itself."""
    return fault.locked or (fault.code == UNPROCESSED and job.state == "Failed")


def _read_cell(shape: ObjectShape, name: str, cell: str) -> Any:
    if cell == NULL:
        return None
    flag = shape.opt_out
    if flag is not None and name == flag.field and isinstance(flag.raised, bool):
        return cell == "true"
    return cell


def _rows_of_a_file(shapes: Mapping[str, ObjectShape]) -> int:
    widest = max((len(shape.slots) for shape in shapes.values()), default=1)
    rows = FILE_BYTES // (widest * SLOT_BYTES + _REST_BYTES)
    return max(_SERVER_BATCH, rows - rows % _SERVER_BATCH)
