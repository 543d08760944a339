"""Fault injection for a HubSpot portal: what each kind of fault does to its records and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from ringfence.core.config.spelling import did_you_mean

from ..broken_wire import Wire
from ..clock import SandboxClock, SkewedClock
from ..fault_gate import PAGE, FaultGate, TemporaryValues
from ..fault_kinds import (
    DeleteRows,
    EditRows,
    EqualStamps,
    Fault,
    MergeRows,
    RecordFault,
    Refuse,
    RefuseRows,
)
from ..fault_rules import ActiveRule, RequestFacts, choose_records
from ..faults import Faults, FaultsError
from .call import Answer
from .errors import missing_scopes, too_many_requests, too_many_searches
from .fault_kinds import DisorderResults, FoldErrors, HubSpotSettings, MisstateTotal
from .portal import HubSpotPortal
from .state import RefuseRow

MIGRATION_WAIT_S = 10
"""A 477 always says when to come back (HubSpot's error-handling page): in so many seconds unless the rule says more."""

EDGE = {502, 504, 521, 523, 524}
"""Statuses that do not come from HubSpot itself, but from what stands in front of it: a web page."""

WORDS = {
    401: ("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 5 minute(s) ago."),
    423: ("LOCKED", "The record is locked by another operation. Locks will last for 2 seconds."),
    477: ("MIGRATION", "This account is being moved to another data centre."),
}
"""Category and message by status (hubspot.md, section 2.4); categories of 401, 423 and 477 are unverified."""

OPT_OUT = "rf_do_not_call"


class HubSpotFaults(FaultGate[Answer]):
    """The faults of a portal. Raises FaultsError for objects and properties that it does not have."""

    service = "hubspot"

    def __init__(self, portal: HubSpotPortal, clock: SandboxClock, faults: Faults) -> None:
        super().__init__(faults)
        self.portal = portal
        given = faults.section(self.service, HubSpotSettings)
        self.retry_after = given.retry_after

        for active in self.rules:
            self._refuse_unknown(active)

        if given.clock_skew_s:
            self.swaps.set(portal, "clock", SkewedClock(clock, given.clock_skew_s))

        for name in ("search_lag_s", "invalid_value", "noop_bumps"):
            self.swaps.set(portal, name, getattr(given, name))

        self.swaps.set(portal.daily, "limit", given.daily_limit)
        self.swaps.set(portal.calls, "limit", given.calls_per_ten_s)
        self.swaps.set(portal.searches, "limit", given.searches_per_s)

    def answer(self, facts: RequestFacts, handle: Callable[[], Answer]) -> tuple[Answer, Wire | None]:
        """Answer one request; every 429 has a Retry-After where the settings name one."""
        answer, wire = super().answer(facts, handle)
        if answer.status == 429 and self.retry_after is not None:
            answer = replace(answer, headers={"Retry-After": str(self.retry_after), **answer.headers})
        return answer, wire

    def change_state(self, active: ActiveRule, facts: RequestFacts) -> None:
        """Edit, merge, archive or re-stamp contacts of the portal."""
        fault, portal = active.fault, self.portal
        if not isinstance(fault, RecordFault):
            return

        merge = isinstance(fault, MergeRows)
        drawn = fault.model_copy(update={"count": 2 * fault.count}) if merge else fault
        ids = choose_records(active, drawn, facts, lambda: list(portal.contacts))

        match fault:
            case EqualStamps():
                portal.set_modified(ids, portal.clock.now() - timedelta(seconds=fault.age_s))
            case MergeRows():
                self._merge(fault, ids)
            case EditRows():
                for record_id in ids:
                    portal.update_as_user(record_id, **_values(active, fault))
            case DeleteRows():
                for record_id in ids:
                    portal.archive(record_id)

    @contextmanager
    def altered(self, due: Iterable[ActiveRule]) -> Iterator[None]:
        """Refuse rows, and return searches out of order, while the request is handled."""
        swaps = TemporaryValues()
        for active in due:
            match active.fault:
                case DisorderResults() as fault:
                    for store in self.portal.stores.values():
                        swaps.set(store.index, "disorder", _shuffle_blocks(active.seed, fault.block))
                case RefuseRows():
                    swaps.set(self.portal, "refuse_row", _validation_rule(active, self.portal.refuse_row))

        try:
            yield
        finally:
            swaps.restore()

    def alter_answer(self, fault: Fault, answer: Answer) -> Answer:
        """Return a search with another total, or a 207 with folded errors."""
        body = answer.body
        match fault:
            case MisstateTotal() if isinstance(body, dict) and "total" in body:
                return replace(answer, body={**body, "total": max(0, body["total"] + fault.by)})
            case FoldErrors() if answer.status == 207:
                return replace(answer, body={**body, "numErrors": 1, "errors": [_fold(body["errors"], fault.kept)]})
        return answer

    def refusal(self, fault: Refuse, facts: RequestFacts) -> Answer:
        """Return the refusal of a status: a web page for what the edge sends."""
        wait = MIGRATION_WAIT_S if fault.status == 477 and fault.retry_after is None else fault.retry_after
        headers = {} if wait is None else {"Retry-After": str(wait)}
        if fault.status in EDGE:
            return replace(self.page(fault.status, PAGE), headers=headers)
        body = _refused(fault, facts)
        if fault.message:
            body = {**body, "message": fault.message}
        return Answer(fault.status, body, refused=True, counted=fault.status not in (401, 403), headers=headers)

    def page(self, status: int, text: str) -> Answer:
        """Return a web page, which comes without rate headers."""
        return Answer(status, text, counted=False)

    def _merge(self, fault: MergeRows, ids: Sequence[str]) -> None:
        for winner, loser in zip(ids[::2], ids[1::2], strict=False):
            if fault.loser_opted_out:
                self.portal.update_as_user(loser, **{OPT_OUT: "true"})
            self.portal.merge(winner, loser)

    def _refuse_unknown(self, active: ActiveRule) -> None:
        fault = active.fault
        name = getattr(fault, "object", None) or "contacts"
        if name != "contacts":
            raise FaultsError(
                f"rules.{active.number}.fault.object: faults of HubSpot are about contacts, not {name!r}."
            )

        known = self.portal.definitions["contacts"]
        properties = [*fault.values] if isinstance(fault, EditRows) else []
        if isinstance(fault, MergeRows) and fault.loser_opted_out:
            properties.append(OPT_OUT)

        for unknown in [each for each in properties if each not in known]:
            hint = did_you_mean(unknown, known)
            raise FaultsError(f"rules.{active.number}.fault: contacts have no property {unknown!r}{hint}.")


def _refused(fault: Refuse, facts: RequestFacts) -> dict[str, Any]:
    if fault.status == 429:
        search = facts.path.endswith("/search")
        refusal = too_many_searches() if search else too_many_requests(str(fault.code or "TEN_SECONDLY_ROLLING"))
    elif fault.status == 403:
        refusal = missing_scopes([f"crm.objects.contacts.{'write' if facts.purpose == 'write' else 'read'}"])
    else:
        known, message = WORDS.get(fault.status, (None, "internal error"))
        category = fault.code or known
        body: dict[str, Any] = {"status": "error", "message": message}
        return {**body, "category": category} if category else body

    assert isinstance(refusal.body, dict)  # noqa: S101  # tells the type checker which of the refusals these are
    return refusal.body


def _values(active: ActiveRule, fault: EditRows) -> Mapping[str, str | None]:
    if not fault.values:
        return {"phone": f"+1 201 555 01{active.random.randrange(100):02d}"}
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in fault.values.items()}


def _validation_rule(active: ActiveRule, otherwise: RefuseRow | None) -> RefuseRow:
    """Return a rule about contacts: it refuses what the fault refuses, and then what the rule before it refuses."""
    fault = active.fault
    assert isinstance(fault, RefuseRows)  # noqa: S101  # the caller has matched it

    def refuse(record_id: str, values: Mapping[str, str]) -> tuple[str, str] | None:
        hit = record_id in fault.ids if fault.ids else active.selects(record_id, fault.fraction)
        if hit and active.refuses(record_id, fault.tries):
            return fault.code or "INVALID_VALUE", fault.message
        return otherwise(record_id, values) if otherwise else None

    return refuse


def _shuffle_blocks(seed: str, block: int) -> Callable[[list[int]], list[int]]:
    """Return a function that shuffles each block of ids.

    It does so in the same way for the same seed, so that the pages of one search still fit together.
    """

    def disorder(ids: list[int]) -> list[int]:
        mixed: list[int] = []
        for start in range(0, len(ids), block):
            part = ids[start : start + block]
            Random(f"{seed}:{start}").shuffle(part)  # noqa: S311  # repeatable chance is the point
            mixed += part
        return mixed

    return disorder


def _fold(errors: Sequence[Mapping[str, Any]], kept: int | None) -> dict[str, Any]:
    """Return one error in place of several; its context names their ids, or the first `kept` of them."""
    ids: list[str] = []
    for error in errors:
        ids += error.get("context", {}).get("ids", ())

    return {**errors[0], "context": {"ids": ids[:kept]}}
