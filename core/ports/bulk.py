"""The contract of bulk jobs: many changes are uploaded at once, and the CRM works on them by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..model.values import Change, RowResult


class BulkWatch(Protocol):
    """A caller's view of a bulk job's progress. Either method may raise, which ends the waiting."""

    def opened(self, reference: str) -> None:
        """Record the reference that the CRM gave the job, before any row is sent. Empty where rows go without a job."""
        ...

    def waiting(self) -> None:
        """Note that the CRM is still at work on the job. Called each time the job is polled."""
        ...


class BulkLoad(Protocol):
    """The changes of one job, kept in the form in which they are uploaded, so that they take little memory."""

    def add(self, changes: Sequence[Change]) -> None:
        """Add changes of the load's object: none with a guard, and none of a record that is in the load already."""
        ...

    def write(self, watch: BulkWatch) -> Iterator[tuple[str, RowResult]]:
        """Upload the load as one job and yield each record's id and result, in any order. Called once."""
        ...


class BulkJobs(Protocol):
    """Writes large numbers of changes by bulk jobs, where they take fewer calls than batches do."""

    worth_from: int  # changes of one object from which a job takes fewer calls than write()
    most: int  # changes that one job takes at most

    def load(self, object_name: str) -> BulkLoad:
        """Return an empty load for changes of one object. Nothing is sent before it is written."""
        ...

    def outcome(self, reference: str, watch: BulkWatch) -> Iterator[tuple[str, RowResult]] | None:
        """Return each record's id and result of a job that an earlier run left; None where the job is gone.

        A job that is under way is waited for. An incomplete upload is aborted and yields nothing. The caller must read
        again every record that has no result.
        """
        ...
