"""Ingest jobs: one upload of many updates, and afterwards the result of each row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from requests import Response

from ringfence.core.errors import RetryError
from ringfence.core.ports.services import Clock

from ..client import SalesforceClient
from ..errors import AnswerError, Fault, read_job_fault
from .csv_sheet import CHUNK_BYTES, ResultFile, Sheet, read_result_file, read_rows
from .jobs import OPEN, Job, JobCalls
from .update_sheet import ID

FILE_BYTES = 100_000_000
"""Bytes of one upload: Salesforce takes 150 MB of what it makes of it, which may grow by a half
(salesforce.md, section 2.3)."""

UNPROCESSED = "UNPROCESSED"
"""Our code for a row that the job ended without processing."""

Kept = TypeVar("Kept")

_NO_CELLS: Mapping[str, str] = {}
_ERROR = "sf__Error"
_log = logging.getLogger(__name__)


class IngestResult(NamedTuple):
    """The result of an uploaded row: ``fault`` is None where it was written, else ``cells`` are those uploaded."""

    id: str
    fault: Fault | None
    cells: Mapping[str, str] = _NO_CELLS


class IngestJobs(JobCalls):
    """The update jobs of one org, counted as writes. No assignment rule runs: that needs a rule's id in the job."""

    def __init__(self, client: SalesforceClient, clock: Clock) -> None:
        super().__init__(client, clock, "ingest", "write")

    def create_update_job(self, object_name: str) -> str:
        """Create a job for updates of one object, and return its id."""
        form = {"contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"}
        return self.create({"object": object_name, "operation": "update", **form}).id

    def upload(self, job_id: str, sheet: Sheet) -> None:
        """Upload the rows of an open job, all at once. Raises ValueError for a file above 100 MB."""
        if len(sheet) > FILE_BYTES:
            raise ValueError(f"an upload may have {FILE_BYTES:,} bytes, not {len(sheet):,}")

        head = {"Content-Type": "text/csv; charset=UTF-8"}
        try:
            self.request("PUT", f"{job_id}/batches", lambda _answer: None, success=201, data=sheet, headers=head)
        except AnswerError as error:
            # Where a second upload is refused, the first one arrived, and its answer was lost.
            if not was_uploaded_twice(error) or self.get(job_id).state != OPEN:
                raise

    def close(self, job_id: str) -> Job:
        """Let Salesforce start on the rows, and return the job; one that has started already is left alone.

        A job whose rows :func:`was_uploaded_twice` never starts: it has to be aborted, and another one created.
        """
        try:
            return self.set_state(job_id, "UploadComplete")
        except AnswerError:
            job = self.get(job_id)
            if job.state == OPEN:
                raise
            return job

    def abort(self, job_id: str) -> Job:
        """End a job, and return it; rows that it has written stay written, and a job that has ended is left alone."""
        try:
            return self.set_state(job_id, "Aborted")
        except AnswerError:
            job = self.get(job_id)
            if not job.ended:
                raise
            return job

    def results(self, job: Job) -> Iterator[IngestResult]:
        """Yield the result of each uploaded row of a job that has ended, once: refused, unprocessed, then written rows.

        Salesforce may leave rows out. The caller must check that each was named: one that was not counts as not
        written.
        """
        named: set[str] = set()
        for result in self._unwritten(job):
            if result.id not in named:
                named.add(result.id)
                yield result

        # Nothing is kept of this file but the ids.
        written = self._download(job, "successfulResults", job.processed - job.failed, _read_ids)
        for record_id in dict.fromkeys(written):
            if record_id not in named:
                yield IngestResult(record_id, None)

    def _unwritten(self, job: Job) -> Iterator[IngestResult]:
        if job.failed or not job.complete:
            for cells in self._rows(job, "failedResults", job.failed, ID, _ERROR):
                yield IngestResult(cells.get(ID, ""), read_job_fault(cells.get(_ERROR, "")), cells)

        if not job.complete:
            why = f": {job.error}" if job.error else ""
            fault = Fault(UNPROCESSED, f"the job ended as {job.state} before it came to this row{why}")
            for cells in self._rows(job, "unprocessedrecords", None, ID):
                yield IngestResult(cells.get(ID, ""), fault, cells)

    def _rows(self, job: Job, name: str, expected: int | None, *columns: str) -> Iterator[dict[str, str]]:
        file = self._download(job, name, expected, lambda answer: _read_file(answer, columns))
        for row in file.rows():
            yield dict(zip(file.header, row, strict=False))

    def _download(
        self, job: Job, name: str, expected: int | None, read: Callable[[Response], tuple[int, Kept]]
    ) -> Kept:
        """Return a file of results, downloaded once more where it has fewer rows than the job counts."""
        count, kept = self.request("GET", f"{job.id}/{name}", read)
        if expected is not None and count < expected:
            count, kept = self.request("GET", f"{job.id}/{name}", read)

        if expected not in (None, count):
            _log.warning("%s of the Bulk job %s names %d rows of %s", name, job.id, count, expected)
        return kept


def was_uploaded_twice(error: AnswerError) -> bool:
    """Return whether a job is refused because its rows were uploaded twice, as when the first answer was lost.

    Salesforce reports it at the second upload or when the job is closed, in words that it has spelled in several ways.
    """
    return "contents for job" in error.fault.words


def _read_ids(answer: Response) -> tuple[int, list[str]]:
    rows = read_rows(answer.iter_content(CHUNK_BYTES))
    header = next(rows, [])
    _check_header(header, [ID])

    column = header.index(ID) if header else 0
    ids = [row[column] for row in rows if len(row) > column]
    return len(ids), ids


def _read_file(answer: Response, columns: Collection[str]) -> tuple[int, ResultFile]:
    file = read_result_file(answer.iter_content(CHUNK_BYTES))
    _check_header(file.header, columns)
    return file.count, file


def _check_header(header: Sequence[str], columns: Collection[str]) -> None:
    """Raise RetryError where the first row is none of column names: it may be the page of a proxy."""
    if header and not set(columns) <= set(header):
        raise RetryError("The results of a Bulk job came without the columns that Salesforce gives them.")
