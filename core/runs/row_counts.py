"""What runs that write single changes count alike, whatever they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model.values import RowResult
from .ending import RunEnd
from .outcomes import PendingOutcome
from .summary import SHOWN, RefusedRow


@dataclass(slots=True, kw_only=True)
class RowCounts:
    """Rows that were not written, the HTTP requests of the run, and how it ended.

    ``refused`` keeps the first rows that the CRM did not take. ``reconciled`` counts rows that a killed run had left,
    ``duration_s`` is in seconds, and ``stopped`` says why a run ended early; empty where it did not.
    """

    conflicts: int = 0
    failed: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    reconciled: int = 0
    api_calls: int = 0
    api_calls_by_purpose: dict[str, int] = field(default_factory=dict)
    duration_s: float = 0.0
    stopped: str = ""
    end: RunEnd | None = None

    def count_refused(self, row: PendingOutcome, result: RowResult) -> None:
        """Count a record that the CRM did not take, and keep the first ones with the CRM's words."""
        self.failed += 1
        if len(self.refused) < SHOWN:
            self.refused.append(RefusedRow(*row.key, result.code, result.message))

    def count_conflict(self, row: PendingOutcome, result: RowResult) -> None:  # noqa: ARG002 - the contract's parameters
        """Count a record that somebody changed meanwhile."""
        self.conflicts += 1

    def count_calls(self, calls: Mapping[str, int]) -> None:
        """Count the HTTP requests of the run, by purpose."""
        self.api_calls_by_purpose = dict(calls)
        self.api_calls = sum(calls.values())

    def refused_rows(self) -> int:
        """Return how many rows the CRM did not take."""
        return self.failed
