"""What a lift did in one account, and on the ledger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import RingfenceError
from ..model.blocks import Block, Entry
from ..numbers import mask
from .ending import end_as_json
from .outcomes import PendingOutcome
from .row_counts import RowCounts
from .shown import as_values
from .summary import SHOWN


@dataclass(slots=True)
class LiftSummary(RowCounts):
    """What a lift did in one account. ``number`` is masked.

    ``flags_lowered`` counts flags, and ``lowered`` names the first of the records. ``kept_up`` names the first records
    whose flag stays up because another number of theirs is opted out, ``still_up`` counts those whose flag could not
    be lowered.
    """

    run_id: str
    crm: str
    number: str
    dry_run: bool
    complete: bool = False
    flags_lowered: int = 0
    records: int = 0
    still_up: int = 0
    lowered: list[dict[str, str]] = field(default_factory=list)
    kept_up: list[dict[str, str]] = field(default_factory=list)

    def count_written(self, rows: Sequence[PendingOutcome]) -> None:
        """Count records whose flags are down, and keep the first."""
        for row in rows:
            self.records += 1
            self.flags_lowered += row.fields
            if len(self.lowered) < SHOWN:
                self.lowered.append({"object": row.key[0], "id": row.key[1]})

    def keep_up(self, keys: Sequence[tuple[str, str]]) -> None:
        """Keep the first of the records whose flag stays up."""
        self.kept_up += [{"object": name, "id": record_id} for name, record_id in keys][: SHOWN - len(self.kept_up)]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {**as_values(self), **end_as_json(self.end, refused_rows=self.refused_rows())}


@dataclass(slots=True)
class Lifted:
    """What a lift did, or would do: the entries that it ends, and what keeps the number silent all the same.

    ``kept`` holds listings, and consent that was withdrawn, with the record that tells it as the block's origin.
    ``covered`` are the other numbers, masked, that the lowered flags covered and that stay covered by entries of their
    own. ``summaries`` has one for each account, and ``error`` is what ended the lift early.
    """

    number: str
    dry_run: bool
    entries: list[Entry] = field(default_factory=list)
    kept: list[Block] = field(default_factory=list)
    covered: list[str] = field(default_factory=list)
    summaries: list[LiftSummary] = field(default_factory=list)
    error: RingfenceError | None = None

    @property
    def refused_rows(self) -> int:
        """Return how many records the CRMs did not take."""
        return sum(summary.failed for summary in self.summaries)

    def cover(self, numbers: Collection[str]) -> None:
        """Take in which other numbers get an entry of their own."""
        self.covered = list(dict.fromkeys([*self.covered, *map(mask, sorted(numbers))]))
