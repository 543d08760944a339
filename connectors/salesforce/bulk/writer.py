"""Salesforce as :class:`ringfence.core.ports.bulk.BulkJobs`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from ringfence.core.errors import AccessError, RingfenceError, UnreachableError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult
from ringfence.core.ports.bulk import BulkWatch
from ringfence.core.ports.services import Clock

from ..chunks import ChunkSizes
from ..client import SalesforceClient
from ..composite import COLLECTION, HEAVY_SUBREQUESTS
from ..errors import AnswerError, Fault, JobGoneError, read_row_error
from ..writer import CompositeWriter
from .csv_sheet import Sheet
from .ingest import FILE_BYTES, UNPROCESSED, IngestJobs, was_uploaded_twice
from .jobs import ABORTED, OPEN, Job
from .update_sheet import NULL, UpdateSheet

POLLS = 6
CALLS = 3 + POLLS + 2 + 1
"""Calls of one job, estimated: create, upload, close; polls; two files of results; deletion
(salesforce.md, section 7)."""

AT_ONCE = COLLECTION * HEAVY_SUBREQUESTS
"""Rows of one Composite call, which takes what a job cannot."""

SLOT_BYTES = 700
"""Bytes of one slot's six companions at the most, as a line of CSV: 255 of a reason, 80 characters of up to four bytes
of a screened value, and the rest (docs/contract.md, section 2)."""

FEW = 0.1
"""Share of a job's rows up to which those that were too many together are taken for exceptions: later jobs are made."""

_MOST_JOBS = 2
"""Jobs that are created for the same rows, at most: one whose rows were uploaded twice never starts."""

_LOWERED = frozenset({"false", "0"})
"""Cells of a lowered flag in a file of results; no file of ours has one."""

_REST_BYTES = 60
_SERVER_BATCH = 10_000
_WRITTEN = RowResult(Outcome.WRITTEN)
_log = logging.getLogger(__name__)


class SalesforceBulk:
    """See :class:`ringfence.core.ports.bulk.BulkJobs`; ``shapes`` are the mapped objects by name."""

    def __init__(
        self,
        client: SalesforceClient,
        clock: Clock,
        shapes: Mapping[str, ObjectShape],
        sizes: ChunkSizes | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._shapes = shapes
        self._sizes = sizes or ChunkSizes(clock, {})
        self.worth_from = CALLS * AT_ONCE
        self.most = _rows_of_a_file(shapes)

    def load(self, object_name: str) -> SalesforceLoad:
        """Return an empty load of one job."""
        return SalesforceLoad(self._client, self._clock, self._shapes[object_name], self._sizes)

    def outcome(self, reference: str, watch: BulkWatch) -> Iterator[tuple[str, RowResult]] | None:
        """Return each record's id and result of a job that an earlier run left; None where they cannot be had.

        Locked and unprocessed rows are left out: they may have been written in another way after the job.
        """
        jobs = IngestJobs(self._client, self._clock)
        try:
            job = jobs.get(reference)
            if job.state == OPEN:
                job = _abort_incomplete(jobs, reference)
                if job.state == ABORTED and not job.processed:
                    _delete(jobs, reference)
                    return iter(())

            results = list(_final_results(jobs, _wait(jobs, job, watch)))
        except (JobGoneError, AnswerError, AccessError) as error:
            # A job that this user may not see is treated as gone: it would stand in the way of every run.
            _log.warning("the rows of the Bulk job %s are read instead: %s", reference, error.message)
            return None

        _delete(jobs, reference)
        return iter(results)


class SalesforceLoad:
    """See :class:`ringfence.core.ports.bulk.BulkLoad`."""

    def __init__(
        self, client: SalesforceClient, clock: Clock, shape: ObjectShape, sizes: ChunkSizes | None = None
    ) -> None:
        self._client = client
        self._clock = clock
        self._shape = shape
        self._sizes = sizes or ChunkSizes(clock, {})
        self._jobs = IngestJobs(client, clock)
        self._columns = tuple(sorted(shape.owned_fields()))
        self._rows = UpdateSheet(self._columns)

    def add(self, changes: Sequence[Change]) -> None:
        """Add changes of the object."""
        self._rows.add(changes)

    def write(self, watch: BulkWatch) -> Iterator[tuple[str, RowResult]]:
        """Write the load as one job, and by Composite calls the rows that the job cannot take, skips or finds locked.

        Salesforce makes chunks of 200 of a job: rows that were too many together go by Composite calls too. Where it
        creates no job, or the org is known to take fewer at once, all rows go by Composite calls. Rows of a job that an
        administrator aborted are refused, and come again in a later run.
        """
        sheet, by_composite = self._rows.finish(), self._rows.unsupported
        job = self._start_job(sheet, watch) if self._sizes.takes_jobs(self._shape.name) else None
        if job is None:
            watch.opened("")
            yield from self._write_by_composite(chain(self._read_back(sheet), by_composite))
            return

        job = _wait(self._jobs, job, watch)
        sizes = self._sizes if job.failed > job.processed * FEW else self._sizes.apart()
        for result in self._jobs.results(job):
            if result.fault is not None and _is_worth_resending(result.fault, job):
                by_composite.append(self._change(result.id, result.cells))
            else:
                yield result.id, read_row_error(result.fault) if result.fault else _WRITTEN

            if len(by_composite) >= AT_ONCE:
                yield from self._write_by_composite(by_composite, sizes)
                by_composite.clear()

        yield from self._write_by_composite(by_composite, sizes)
        _delete(self._jobs, job.id)

    def _start_job(self, sheet: Sheet, watch: BulkWatch) -> Job | None:
        """Return a job that works on the rows, or None where Salesforce creates none or starts none."""
        for _ in range(_MOST_JOBS):
            try:
                job_id = self._jobs.create_update_job(self._shape.name)
            except (AnswerError, AccessError, UnreachableError) as error:
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
            _delete(self._jobs, job_id)

        return None

    def _read_back(self, sheet: Sheet) -> Iterator[Change]:
        """Yield the rows of the sheet as changes again."""
        rows = sheet.rows()
        header = next(rows)
        for row in rows:
            yield self._change(row[0], dict(zip(header, row, strict=True)))

    def _change(self, record_id: str, cells: Mapping[str, str]) -> Change:
        """Return a row as the change that it was."""
        flags = self._shape.own_flags()
        fields = []

        for name in self._columns:
            if not (cell := cells.get(name)):
                continue
            if (flag := flags.get(name)) is None:
                fields.append(FieldChange(name, None, None if cell == NULL else cell))
            elif cell.lower() not in _LOWERED:
                # It was uploaded to be raised, in whatever way Salesforce spells it in its results.
                fields.append(FieldChange(name, None, cell if isinstance(flag.raised, str) else flag.raised))

        return Change.of(self._shape.name, record_id, fields)

    def _write_by_composite(
        self, changes: Iterable[Change], sizes: ChunkSizes | None = None
    ) -> Iterator[tuple[str, RowResult]]:
        remaining = iter(changes)
        while batch := list(islice(remaining, AT_ONCE)):
            results = CompositeWriter(self._client, self._clock, batch, sizes or self._sizes).write()
            yield from zip([change.id for change in batch], results, strict=True)


def _abort_incomplete(jobs: IngestJobs, job_id: str) -> Job:
    """Abort a job whose upload is incomplete or was never closed, and return the job as it is then.

    The last request of the run that was killed may arrive only now, so the job may have started after all. It is read
    again, because the answer to the abortion does not hold the counts.
    """
    jobs.abort(job_id)
    return jobs.get(job_id)


def _final_results(jobs: IngestJobs, job: Job) -> Iterator[tuple[str, RowResult]]:
    for result in jobs.results(job):
        if result.fault is None:
            yield result.id, _WRITTEN
        elif not _is_worth_resending(result.fault, job):
            yield result.id, read_row_error(result.fault)


def _wait(jobs: IngestJobs, job: Job, watch: BulkWatch) -> Job:
    """Return the job once it has ended, calling ``watch.waiting()`` at every poll."""
    for job in jobs.wait(job):  # noqa: B007, B020 - the same job, as it is seen later
        watch.waiting()
    return job


def _delete(jobs: IngestJobs, job_id: str) -> None:
    """Delete a job whose results have been read. A deletion that fails matters little: jobs expire."""
    try:
        jobs.delete(job_id)
    except RingfenceError as error:
        _log.warning("the Bulk job %s could not be deleted, it expires by itself: %s", job_id, error.message)


def _is_worth_resending(fault: Fault, job: Job) -> bool:
    """Return whether the row may be written when it is sent again outside the job."""
    return fault.locked or fault.overloaded or (fault.code == UNPROCESSED and job.state == "Failed")


def _rows_of_a_file(shapes: Mapping[str, ObjectShape]) -> int:
    """Return how many rows surely fit one upload, in whole batches of Salesforce where they are that many."""
    widest = max((len(shape.slots) for shape in shapes.values()), default=1)
    rows = FILE_BYTES // (widest * SLOT_BYTES + _REST_BYTES)
    return rows - rows % _SERVER_BATCH or rows
