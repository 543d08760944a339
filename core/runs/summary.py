"""What a run did, in the numbers that users and scheduled jobs look at (docs/contract.md, section 4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..decisions.due_record import JudgedSlot
from ..decisions.plan import find_rewrite
from ..model.record_view import RecordView, text
from ..model.values import Companion, RowResult
from ..numbers import mask, mask_text
from ..screening.forecast import Forecast
from ..screening.gateway import ProviderTally
from ..suppression.record_reader import Key
from .counts import Counts, SkipReason
from .ending import RunEnd, end_as_json
from .outcomes import PendingOutcome
from .overdue import OverdueRequest
from .record_tally import CONFLICTS, DEFERRED, FAILED, UNCHANGED, WRITTEN, RecordTally
from .shown import as_values, show_change

_OUTCOMES = frozenset((WRITTEN, UNCHANGED, CONFLICTS, FAILED, DEFERRED))

SHOWN = 20
"""Rows kept for showing; everything else is in the journal."""


# An enum finds the value of a member by a call, and every record that is skipped needs one.
_FRESH, _NO_NUMBER, _OUT_OF_FILTER = SkipReason.FRESH.value, SkipReason.NO_NUMBER.value, SkipReason.OUT_OF_FILTER.value


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not written, with the CRM's words or ours."""

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
    lookup_duplicates: int = 0  # phone fields due for a lookup of a number that the run had met before
    saved: dict[str, Any] = field(default_factory=dict)  # lookups that nobody had to pay for, and their cost
    spending: dict[str, Any] = field(default_factory=dict)  # what was spent and saved, for a report
    planned: Forecast = field(default_factory=Forecast)  # what a run would buy that is dry, or not agreed to
    currency: str = "USD"
    fresh_without_lookup: int = 0  # slots by the numbering plan alone, where all were read or a provider is new
    screened_elsewhere: int = 0  # fresh records at the first sync with this state store
    fresh_not_normalized: int = 0  # phone fields of skipped records that were read and that normalize would rewrite
    providers: dict[str, ProviderTally] = field(default_factory=dict)  # by name
    unrecognised: dict[str, dict[str, int]] = field(default_factory=dict)  # provider -> axis=raw value -> answers
    lookups_waiting: dict[str, int] = field(default_factory=dict)  # provider -> numbers that it answers later
    lookups_lost: int = 0  # numbers whose answer was lost on the way; not bought again unasked
    api_calls: int = 0
    api_calls_by_purpose: dict[str, int] = field(default_factory=dict)
    fewest_api_calls: int = 0  # to read and write the same records, log-in, describe and opt-out intake aside
    write_calls_planned: int = 0  # the fewest that a real run would need on top of a dry run's
    duration_s: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    reason_codes: Counter[str] = field(default_factory=Counter)  # slots by the code of their reason
    due_reasons: Counter[str] = field(default_factory=Counter)
    skip_reasons: Counter[str] = field(default_factory=Counter)  # see SkipReason; counts records
    fresh_until: datetime | None = None  # when the first of the verdicts on records skipped as fresh comes of age
    last_complete_sync: datetime | None = None  # when the latest sync before this one began that handled everything
    repaired: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    conflicts: list[RefusedRow] = field(default_factory=list)
    spread: list[SpreadNumber] = field(default_factory=list)
    stale_flags: list[StaleFlag] = field(default_factory=list)
    stale_flags_total: int = 0
    overdue_requests: list[OverdueRequest] = field(default_factory=list)  # enforced later than the law allows
    overdue_requests_total: int = 0
    silent_asked: int = 0  # numbers of which nothing was heard for long, and about which the run has asked people
    changes_shown: list[dict[str, Any]] = field(default_factory=list)
    rewrites_shown: list[dict[str, str]] = field(default_factory=list)
    reconciled: int = 0  # rows that a killed run had sent, whose outcome was found out by reading
    waiting: dict[str, int] = field(default_factory=dict)
    expired_lists: list[str] = field(default_factory=list)  # registers' lists that are too old, of countries met here
    warnings: list[str] = field(default_factory=list)  # what is true of the whole run, such as fields not yet there
    stopped: str = ""
    end: RunEnd | None = None  # what ended the run early
    calls_of_parts: Counter[str] = field(default_factory=Counter, repr=False)  # made by other processes for this run
    tally: RecordTally = field(default_factory=RecordTally, repr=False)
    oldest_fresh: datetime | None = field(default=None, repr=False)  # the oldest verdict on a record skipped as fresh

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
        reason = _FRESH if any(view.contents().values()) else _NO_NUMBER
        if not view.record.in_scope:
            reason = _OUT_OF_FILTER
        if self._count(view.key, reason) and reason is _FRESH:
            self._note_fresh(view)

    def count_gone(self, key: Key) -> None:
        """Count a due record that was deleted or merged away before anything was decided about it."""
        self._count(key, CONFLICTS)
        self._show_conflict(key, "GONE", "The record is deleted or merged.")

    def count_unchanged(self, key: Key, judged: Iterable[JudgedSlot]) -> None:
        """Count a due record that says already what it should, and its slots."""
        if self._count(key, UNCHANGED):
            self._count_slots(key[0], Counter(judged))

    def count_deferred(self, key: Key) -> None:
        """Count a due record to which nothing is written because a lookup is still owed."""
        self._count(key, DEFERRED)

    def count_written(self, rows: Sequence[PendingOutcome]) -> None:
        """Count rows that the CRM has taken, and keep the first of their changes for showing.

        A record to which a lookup is still owed counts as deferred, whatever was written to it.
        """
        judged: defaultdict[str, list[JudgedSlot]] = defaultdict(list)
        for row in rows:
            if self._count(row.key, DEFERRED if row.deferred else WRITTEN) and not row.deferred:
                judged[row.key[0]] += row.judged
            if row.silenced:
                counts = self.counts(row.key[0])
                counts.opt_outs_enforced += 1
                counts.flags_raised += row.raises_flag
                counts.slots_silenced += row.silenced_slots
            if row.rewrites:
                self._count_rewrites(row)
            if row.shown and len(self.changes_shown) < SHOWN:
                self.changes_shown.append(show_change(row.shown))

        for name, slots in judged.items():
            self._count_slots(name, Counter(slots))

    def count_refused(self, row: PendingOutcome, result: RowResult) -> None:
        """Count a row that the CRM has refused, and keep the first ones with the CRM's words."""
        self._count(row.key, FAILED)
        if len(self.refused) < SHOWN:
            self.refused.append(RefusedRow(*row.key, result.code, result.message))

    def count_conflict(self, row: PendingOutcome, result: RowResult) -> None:
        """Count a row that somebody changed, merged or deleted since it was read."""
        self._count(row.key, CONFLICTS)
        self._show_conflict(row.key, result.code, result.message)

    def meet_again(self, key: Key, outcome: str) -> None:
        """Take in a record that a part of the run has counted, so that it counts once wherever the run meets it."""
        less = self.tally.meet_again(key, outcome)
        if less is not None:
            self._add(self.counts(key[0]), less, -1)

    def count_anew(self, key: Key) -> None:
        """Take back that a lookup is owed to a record: the run has come to it again, and will say what became of it."""
        self._add(self.counts(key[0]), DEFERRED, -1)
        self.tally.forget(key)

    def count_calls(self, calls: Mapping[str, int]) -> None:
        """Count the HTTP requests of the run's own process, by purpose, beside those of its parts."""
        self.api_calls_by_purpose = dict(Counter(self.calls_of_parts) + Counter(calls))
        self.api_calls = sum(self.api_calls_by_purpose.values())

    def name_stale_flags(self, records: Sequence[tuple[str, str]]) -> None:
        """Keep the first of the records whose flag outlives the opt-out that it was raised for, and count them."""
        self.stale_flags = [StaleFlag(*record) for record in records[:SHOWN]]
        self.stale_flags_total = len(records)

    def name_overdue(self, request: OverdueRequest) -> None:
        """Keep a request that is enforced later than the law allows, if it is one of the first, and count it."""
        if len(self.overdue_requests) < SHOWN:
            self.overdue_requests.append(request)
        self.overdue_requests_total += 1

    def _count(self, key: Key, outcome: str) -> bool:
        """Count a record by its outcome, or by the reason for which it was skipped; return whether that counts."""
        before = self.tally.take(key, outcome)
        if before is None:
            return False

        counts = self.counts(key[0])
        if before:
            self._add(counts, before, -1)
        self._add(counts, outcome, 1)
        return True

    def _add(self, counts: Counts, outcome: str, records: int) -> None:
        counts.read += records
        if outcome in _OUTCOMES:
            counts.due += records
            setattr(counts, outcome, getattr(counts, outcome) + records)
        else:
            counts.skipped_recent += records
            self.skip_reasons[outcome] += records

    def _count_slots(self, name: str, judged: Counter[JudgedSlot]) -> None:
        """Count slots by their kinds, of which there are few."""
        counts = self.counts(name)
        for (status, due, code, repaired), slots in judged.items():
            counts.screened += slots
            self.statuses[status] += slots
            self.due_reasons[due] += slots
            self.reason_codes[code] += slots
            self.repaired += slots if repaired else 0

    def _note_fresh(self, view: RecordView) -> None:
        oldest = self.oldest_fresh
        for slot in view.shape.slots:
            screened = view.record.values.get(slot.companions[Companion.LAST_SCREENED])
            if isinstance(screened, datetime) and (oldest is None or screened < oldest):
                self.oldest_fresh = oldest = screened
            if slot.normalize:
                self.fresh_not_normalized += find_rewrite(view, slot) is not None

    def _count_rewrites(self, row: PendingOutcome) -> None:
        self.counts(row.key[0]).phones_rewritten += len(row.rewrites)
        for name, old, new in row.rewrites[: SHOWN - len(self.rewrites_shown)]:
            record = {"object": row.key[0], "id": row.key[1], "field": name}
            self.rewrites_shown.append({**record, "old": mask_text(text(old)), "new": mask(text(new))})

    def _show_conflict(self, key: Key, code: str, message: str) -> None:
        if len(self.conflicts) < SHOWN:
            self.conflicts.append(RefusedRow(*key, code, message))

    def refused_rows(self) -> int:
        """Return how many rows the CRM did not take."""
        return self.total("failed")

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            **as_values(self),
            **self.planned.to_json(),
            "statuses": dict(self.statuses),
            "reason_codes": dict(self.reason_codes),
            "due_reasons": dict(self.due_reasons),
            "skip_reasons": dict(self.skip_reasons),
            "fresh_until": self.fresh_until.isoformat() if self.fresh_until else None,
            "last_complete_sync": self.last_complete_sync.isoformat() if self.last_complete_sync else None,
            "refused_total": self.total(FAILED),
            "conflicts_total": self.total(CONFLICTS),
            **end_as_json(self.end, refused_rows=self.refused_rows()),
        }
