"""Writing by jobs, in memory: jobs that outlive the run which opened them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.core.ports import BulkWatch
from ringfence.core.values import Change, RowResult

if TYPE_CHECKING:
    from .connector import MemoryCrm


@dataclass
class MemoryBulk:
    """The jobs of one account. ``jobs`` holds each one's results; None while its rows have not arrived."""

    crm: MemoryCrm
    worth_from: int = 6
    most: int = 12
    jobs: dict[str, dict[str, RowResult] | None] = field(default_factory=dict)

    def write(self, object_name: str, changes: Iterable[Change], watch: BulkWatch) -> Iterator[tuple[str, RowResult]]:
        """Write the changes as one job."""
        self.crm.calls["write"] += 1
        reference = f"{object_name}-{len(self.jobs) + 1}"
        self.jobs[reference] = None
        watch.opened(reference)
        rows = list(changes)
        self.jobs[reference] = {change.id: self.crm.write_one(change) for change in rows}
        watch.waiting()
        # Results come in an order of their own.
        yield from reversed((self.jobs[reference] or {}).items())

    def outcome(self, reference: str, watch: BulkWatch) -> Iterator[tuple[str, RowResult]] | None:
        """Return what a job did; one whose rows never arrived is called off."""
        watch.waiting()
        if reference not in self.jobs:
            return None
        return iter((self.jobs[reference] or {}).items())
