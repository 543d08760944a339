"""What the user asks of a sync."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ErrorCode, UsageError

MOST_PARTITIONS = 200
"""Partitions of one object that a sync may be divided into."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """The words of the command (docs/contract.md, section 4); ``plan_file`` is where a dry run leaves its plan."""

    full: bool = False
    rescreen: bool = False
    dry_run: bool = False
    limit: int | None = None
    confirm_spread: bool = False
    accept_mass_change: bool = False
    accept_opt_out_change: bool = False
    allow_expired_lists: bool = False
    retry_lost_lookups: bool = False
    confirm_cost: bool = False
    plan_file: Path | None = None
    partitions: int | None = None

    def check(self) -> None:
        """Raise UsageError for options that do not fit together."""
        if self.plan_file and not self.dry_run:
            raise UsageError("A plan file is made by a dry run.", code=ErrorCode.PLAN_NEEDS_DRY_RUN)
        if self.rescreen and self.limit is not None:
            raise UsageError(
                "A rescreen begins anew each time: with a limit it would take the same records again and again.",
                code=ErrorCode.RESCREEN_WITH_LIMIT,
            )
        if self.partitions is not None:
            self._check_partitions(self.partitions)

    def _check_partitions(self, partitions: int) -> None:
        if not 1 <= partitions <= MOST_PARTITIONS:
            raise UsageError(
                f"A sync cannot be divided into {partitions} partitions.",
                f"Give 1 to {MOST_PARTITIONS}; one or two for each worker are best.",
            )
        if self.dry_run or self.plan_file is not None:
            raise UsageError("A dry run writes nothing that workers could share.", "Leave out the partitions.")
        if self.limit is not None:
            raise UsageError("A limit is counted in one process, and partitions are of several.", "Use one of them.")

    def to_json(self) -> dict[str, object]:
        """Return the options as JSON values, for the history."""
        return {**asdict(self), "plan_file": str(self.plan_file) if self.plan_file else None}
