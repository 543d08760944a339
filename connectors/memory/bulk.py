"""Bulk jobs in memory, which outlive the run that created them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.core.model.values import Change, RowResult
from ringfence.core.ports.bulk import BulkWatch

if TYPE_CHECKING:
    from .connector import MemoryCrm


@dataclass
class MemoryLoad:
    """The changes of one job."""

    bulk: MemoryBulk
    object: str
    changes: list[Change] = field(default_factory=list)

    def add(self, changes: Sequence[Change]) -> None:
        """Add changes to the job."""
        self.changes += changes

    def write(self, watch: BulkWatch) -> Iterator[tuple[str, RowResult]]:
        """Write the changes as one job."""
        jobs, crm = self.bulk.jobs, self.bulk.crm
        crm.calls["write"] += 1
        reference = f"{self.object}-{len(jobs) + 1}"
        jobs[reference] = None
        watch.opened(reference)
        jobs[reference] = done = {change.id: crm.write_one(change) for change in self.changes}
        watch.waiting()
        # Results come in an order of their own.
        yield from reversed(done.items())


@dataclass
class MemoryBulk:
    """The jobs of one account. ``jobs`` holds each one's results; None while its rows have not arrived."""

    crm: MemoryCrm
    worth_from: int = 6
    most: int = 12
    jobs: dict[str, dict[str, RowResult] | None] = field(default_factory=dict)

    def load(self, object_name: str) -> MemoryLoad:
        """Return an empty load."""
        return MemoryLoad(self, object_name)

    def outcome(self, reference: str, watch: BulkWatch) -> Iterator[tuple[str, RowResult]] | None:
        """Return the results of a job; None for an unknown one, nothing for one whose rows never arrived."""
        watch.waiting()
        if reference not in self.jobs:
            return None
        return iter((self.jobs[reference] or {}).items())
