"""An ingest job: it writes the uploaded rows batch by batch (docs/vendors/salesforce.md, section 2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from math import ceil, floor
from typing import ClassVar

from .bulk_jobs import QUEUED_SHARE, Job
from .bulk_rows import BatchRules, Columns, write_rows
from .bulk_sheet import Sheet, Upload
from .state import OrgState, RefuseRow

STEP_ROWS = 2_000
"""Rows that are worked off at once: other requests are answered between two steps."""


@dataclass(slots=True, kw_only=True)
class IngestJob(Job):
    """An ingest job: the upload, how many of its rows are `done`, and the result sheets of those.

    `org` is what it writes to, `key` the field that finds a row again; `assigns` tells whether assignment rules may
    change owners; `refuse_row` is the validation rule that held when the job was queued.
    """

    kind: ClassVar[str] = "V2Ingest"
    org: OrgState = field(repr=False)
    assigns: bool
    key: str = "Id"
    upload: Upload | None = None
    uploads: int = 0
    columns: Columns | None = None
    batch_rows: int = 1
    done: int = 0
    written: Sheet | None = None
    refused: Sheet | None = None
    refuse_row: RefuseRow | None = None
    _rest: Iterator[list[str]] | None = None

    @property
    def rows(self) -> int:
        """How many rows were uploaded."""
        return self.upload.rows if self.upload else 0

    def receive(self, raw: bytes) -> None:
        """Keep the uploaded data. Mistakes in it show when the job runs, as in the service."""
        self.upload = Upload(raw, self.form)
        self.uploads += 1
        line = self.form.lines([["sf__Id", "sf__Created", *self.upload.columns]], quoted=False)
        self.written = Sheet(next(line))
        line = self.form.lines([["sf__Id", "sf__Error", *self.upload.columns]], quoted=False)
        self.refused = Sheet(next(line))

    def begin(self) -> None:
        """Queue the job, with the validation rule and batch size that hold now."""
        org = self.org
        self.refuse_row, self.batch_rows = org.refuse_row, org.job_batch_rows
        self.start(org, org.clock.now())

    def advance(self, now: datetime) -> bool:
        """Move to the next state, or write the next rows, if that is due at `now`; return whether it was."""
        if self.share(now) < self.wait():
            return False

        if self.state == "UploadComplete":
            self._open(now)
        elif self.failure and self.done >= self._stop():
            self.fail(self.failure.message, now)
        elif self.done >= self.rows:
            self._complete(now)
        elif self.done % self.batch_rows == 0 and not self._take_batch(now):
            self.fail("ExceededQuota : Daily limit of batches has been exceeded", now)
        else:
            self._step(now)

        return True

    def wait(self) -> float:
        """Return when the next batch is due: the batches share the job's time evenly."""
        if self.state == "UploadComplete":
            return QUEUED_SHARE
        batches = max(1, ceil(self.rows / self.batch_rows))
        nth = min(batches, self.done // self.batch_rows + 1)
        # The last one is due with the job itself: rounded up, it would never be.
        return min(1.0, QUEUED_SHARE + (1 - QUEUED_SHARE) * nth / batches)

    def progress(self, now: datetime) -> Mapping[str, object]:  # noqa: ARG002  # the rows tell it, not the time
        """Return how many rows are done, and how many of them were refused."""
        failed = len(self.refused) if self.refused is not None else 0
        times = {"apiActiveProcessingTime": 0, "apexProcessingTime": 0}
        return {"numberRecordsProcessed": self.done, "numberRecordsFailed": failed, **times}

    def _open(self, now: datetime) -> None:
        self.move("InProgress", now)
        if self.upload is None:
            return

        fault = self.upload.fault
        try:
            self.columns = Columns.of(self.org.access(self.object_name), self.upload.columns, self.key)
        except ValueError as error:
            fault = fault or str(error)

        if fault:
            self.fail(fault, now)

        self._rest = self.upload.after(0)

    def _stop(self) -> int:
        batches = ceil(self.rows / self.batch_rows)
        return min(self.rows, floor(batches * self.failure.done) * self.batch_rows) if self.failure else self.rows

    def _complete(self, now: datetime) -> None:
        self.move("JobComplete", now)
        if self.upload:
            self.upload.drop()

    def _take_batch(self, now: datetime) -> bool:
        batches = self.org.jobs.batches
        if batches.used(now) >= self.org.daily_batches:
            return False

        batches.take(now)
        return True

    def _step(self, now: datetime) -> None:
        assert self._rest and self.columns and self.written is not None and self.refused is not None  # noqa: S101, PT018  # _open has set them
        count = min(STEP_ROWS, self.batch_rows - self.done % self.batch_rows)
        rows = list(islice(self._rest, count))
        rules = BatchRules(self.object_name, self.columns, self.assigns, self.refuse_row, self.operation, self.key)
        outcome = write_rows(self.org, rules, rows)
        self.written.add(self.form.lines(outcome.written, quoted=False))
        self.refused.add(self.form.lines(outcome.refused, quoted=False))
        self.done += len(outcome.written) + len(outcome.refused)
        self.modified = now
