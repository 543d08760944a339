"""Writing by jobs that a CRM works on by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..model.values import Change, RowResult


class BulkWatch(Protocol):
    """Is told how a bulk job comes on, and may end the waiting for it by raising."""

    def opened(self, reference: str) -> None:
        """The CRM has given the job this reference; no row has been sent yet. Empty where rows go without a job."""
        ...

    def waiting(self) -> None:
        """The CRM works on the job. Called now and then."""
        ...


class BulkLoad(Protocol):
    """What one job will carry: kept as it will travel, so that a job's changes take little memory."""

    def add(self, changes: Sequence[Change]) -> None:
        """Take in changes of the load's object, none with a guard and none of a record that is in it already."""
        ...

    def write(self, watch: BulkWatch) -> Iterator[tuple[str, RowResult]]:
        """Write it as one job, once, yielding each record's id and result, in any order."""
        ...


class BulkJobs(Protocol):
    """Writing by jobs that a CRM works on by itself, for numbers of changes that make them the cheaper way."""

    worth_from: int  # changes of one object from which a job takes fewer calls than write()
    most: int  # changes that one job takes at most

    def load(self, object_name: str) -> BulkLoad:
        """Return an empty load for changes of one object. Nothing is sent before it is written."""
        ...

    def outcome(self, reference: str, watch: BulkWatch) -> Iterator[tuple[str, RowResult]] | None:
        """Return what a job did that an earlier run left, waiting for one that is under way; None when it is gone.

        A job whose rows never arrived whole is called off, and names none. Rows that are not named have to be read.
        """
        ...
