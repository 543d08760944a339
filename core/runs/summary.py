"""What a run did, in the numbers that users and scheduled jobs look at (contract, section 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..model.masking import mask_change
from ..model.shapes import ObjectShape
from ..model.values import Change, Companion
from ..numbers import mask_text

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
    changes_shown: list[dict[str, Any]] = field(default_factory=list)
    reconciled: int = 0  # rows that a killed run had sent, whose outcome was found out by reading
    waiting: dict[str, int] = field(default_factory=dict)
    stopped: str = ""

    def counts(self, object_name: str) -> Counts:
        """Return the counts of an object."""
        counts = self.objects.get(object_name)
        if counts is None:
            counts = self.objects[object_name] = Counts()
        return counts

    def total(self, name: str) -> int:
        """Return one count summed over all objects."""
        return sum(getattr(counts, name) for counts in self.objects.values())

    def show_change(self, change: Change, shape: ObjectShape, contents: Mapping[str, str]) -> None:
        """Keep a change for showing, masked, while there is room; ``contents`` holds the phone fields as read."""
        if len(self.changes_shown) < SHOWN:
            self.changes_shown.append({**mask_change(change, shape), "slots": _slots(change, shape, contents)})

    def refused_rows(self) -> int:
        """Return how many rows the CRM did not take."""
        return self.total("failed")

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            **asdict(self),
            "statuses": dict(self.statuses),
            "due_reasons": dict(self.due_reasons),
            "skip_reasons": dict(self.skip_reasons),
        }


def _slots(change: Change, shape: ObjectShape, contents: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the change does to each slot it touches, for reading at a glance."""
    by_field = {item.field: item for item in change.fields}
    touched = []
    for slot in shape.slots:
        changed = {c: by_field[name] for c, name in slot.companions.items() if name in by_field}
        if changed:
            status, reason = changed.get(Companion.STATUS), changed.get(Companion.REASON)
            touched.append(
                {
                    "slot": slot.field,
                    "content": mask_text(contents[slot.field]),
                    "status": [status.old, status.new] if status else None,
                    "reason": reason.new if reason else None,
                    "changed": [companion.value for companion in changed],
                }
            )
    return touched
