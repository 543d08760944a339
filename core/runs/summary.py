"""What a run did, in the numbers that users and scheduled jobs look at (docs/contract.md, section 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..decisions.due import DueReason
from ..model.masking import mask_change
from ..model.record_view import RecordView
from ..model.values import Companion, RowResult
from ..model.verdicts import Verdict
from ..numbers import Number, mask_text
from .ending import RunEnd, end_as_json
from .outcomes import PendingOutcome, ShownChange

SHOWN = 20
"""Rows kept for showing; everything else is in the journal."""


@dataclass(slots=True)
class Counts:
    """The records of one object; ``screened`` counts slots.

    ``read = skipped_recent + due`` and ``due = written + unchanged + conflicts + failed + deferred``.
    """

    read: int = 0
    due: int = 0
    skipped_recent: int = 0
    screened: int = 0
    written: int = 0
    unchanged: int = 0
    opt_outs_enforced: int = 0
    conflicts: int = 0
    failed: int = 0
    deferred: int = 0


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that the CRM did not take, with the CRM's words."""

    object: str
    id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SpreadNumber:
    """A number with an opt-out that too many records hold for their flags to be raised unasked."""

    number: str  # masked
    holders: int


@dataclass(frozen=True, slots=True)
class StaleFlag:
    """A record with a flag that ringfence raised for an opt-out that has ended: somebody has to clear it."""

    object: str
    id: str


@dataclass(slots=True)
class Summary:
    """The whole of a run. ``to_json`` gives the document of ``sync --json``."""

    run_id: str
    crm: str
    org: str = ""
    dry_run: bool = False
    complete: bool = False
    full: bool = False  # whether some object was read in full
    objects: dict[str, Counts] = field(default_factory=dict)
    lookups: int = 0
    lookup_cache_hits: int = 0
    lookups_planned: int = 0
    lookups_lost: int = 0  # numbers whose answer was lost on the way; not bought again unasked
    api_calls: int = 0
    api_calls_by_purpose: dict[str, int] = field(default_factory=dict)
    fewest_api_calls: int = 0  # to read and write the same records, log-in, describe and opt-out intake aside
    write_calls_planned: int = 0  # the fewest that a real run would need on top of a dry run's
    duration_s: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    due_reasons: Counter[str] = field(default_factory=Counter)
    skip_reasons: Counter[str] = field(default_factory=Counter)  # fresh, no_number, out_of_filter; counts records
    repaired: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    spread: list[SpreadNumber] = field(default_factory=list)
    stale_flags: list[StaleFlag] = field(default_factory=list)
    stale_flags_total: int = 0
    changes_shown: list[dict[str, Any]] = field(default_factory=list)
    reconciled: int = 0  # rows that a killed run had sent, whose outcome was found out by reading
    waiting: dict[str, int] = field(default_factory=dict)
    stopped: str = ""
    end: RunEnd | None = None  # what ended the run early

    def counts(self, object_name: str) -> Counts:
        """Return the counts of an object."""
        counts = self.objects.get(object_name)
        if counts is None:
            counts = self.objects[object_name] = Counts()
        return counts

    def total(self, name: str) -> int:
        """Return one count summed over all objects."""
        return sum(getattr(counts, name) for counts in self.objects.values())

    def count_skipped(self, view: RecordView) -> None:
        """Count a record that needs nothing, with the reason."""
        counts = self.counts(view.record.object)
        counts.read += 1
        counts.skipped_recent += 1

        if not view.record.in_scope:
            self.skip_reasons["out_of_filter"] += 1
        elif any(view.contents().values()):
            self.skip_reasons["fresh"] += 1
        else:
            self.skip_reasons["no_number"] += 1

    def count_conflicts(self, object_name: str, records: int) -> None:
        """Count due records that were deleted or merged away before anything was written to them."""
        counts = self.counts(object_name)
        counts.read += records
        counts.due += records
        counts.conflicts += records

    def count_verdict(self, object_name: str, number: Number, verdict: Verdict, due: DueReason) -> None:
        """Count a slot that was screened."""
        self.counts(object_name).screened += 1
        self.statuses[verdict.status] += 1
        self.due_reasons[due] += 1
        self.repaired += bool(number.repairs)

    def name_stale_flags(self, records: Sequence[tuple[str, str]]) -> None:
        """Keep the first of the records whose flag outlives the opt-out that it was raised for, and count them."""
        self.stale_flags = [StaleFlag(*record) for record in records[:SHOWN]]
        self.stale_flags_total = len(records)

    def count_unchanged(self, object_name: str) -> None:
        """Count a due record that says already what it should."""
        counts = self.counts(object_name)
        counts.read += 1
        counts.due += 1
        counts.unchanged += 1

    def count_deferred(self, object_name: str) -> None:
        """Count a due record to which nothing is written because a lookup is still owed."""
        counts = self.counts(object_name)
        counts.read += 1
        counts.due += 1
        counts.deferred += 1

    def count_written(self, rows: Sequence[PendingOutcome]) -> None:
        """Count rows that the CRM has taken, and keep the first of their changes for showing."""
        for name, written in Counter(row.key[0] for row in rows).items():
            counts = self.counts(name)
            counts.read += written
            counts.due += written
            counts.written += written

        for row in rows:
            if row.silenced:
                self.counts(row.key[0]).opt_outs_enforced += 1
            if row.shown and len(self.changes_shown) < SHOWN:
                self.changes_shown.append(_show(row.shown))

    def count_refused(self, row: PendingOutcome, result: RowResult) -> None:
        """Count a row that the CRM has refused, and keep the first ones with the CRM's words."""
        name, record_id = row.key
        counts = self.counts(name)
        counts.read += 1
        counts.due += 1
        counts.failed += 1
        if len(self.refused) < SHOWN:
            self.refused.append(RefusedRow(name, record_id, result.code, result.message))

    def count_conflict(self, row: PendingOutcome) -> None:
        """Count a row that somebody changed, merged or deleted since it was read."""
        self.count_conflicts(row.key[0], 1)

    def refused_rows(self) -> int:
        """Return how many rows the CRM did not take."""
        return self.total("failed")

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            **as_values(self),
            "statuses": dict(self.statuses),
            "due_reasons": dict(self.due_reasons),
            "skip_reasons": dict(self.skip_reasons),
            **end_as_json(self.end, refused_rows=self.refused_rows()),
        }


def as_values(summary: Any) -> dict[str, Any]:
    """Return the fields of a summary as plain values, but for its end."""
    values = asdict(summary)
    values.pop("end")
    return values


def _show(shown: ShownChange) -> dict[str, Any]:
    """Return a change as JSON values, masked, with what it does to each slot it touches."""
    change, shape, contents = shown
    by_field = {item.field: item for item in change.fields}
    slots = []
    for slot in shape.slots:
        changed = {companion: by_field[name] for companion, name in slot.companions.items() if name in by_field}
        if not changed:
            continue

        status, reason = changed.get(Companion.STATUS), changed.get(Companion.REASON)
        slots.append(
            {
                "slot": slot.field,
                "content": mask_text(contents[slot.field]),
                "status": [status.old, status.new] if status else None,
                "reason": reason.new if reason else None,
                "changed": [companion.value for companion in changed],
            }
        )
    return {**mask_change(change, shape), "slots": slots}
