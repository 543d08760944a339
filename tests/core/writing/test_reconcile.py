"""What a killed run left: each row that was sent without an answer is read, judged, and never written again."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.opt_outs import OptOuts
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult
from ringfence.core.state.cursors import register_org
from ringfence.core.state.journal import Journal, read_changes
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.run_history import find_run
from ringfence.core.state.store import Store
from ringfence.core.writing.reconcile import reconcile
from testkit.clock import SetClock

MAPPING = """
crm: memory
objects:
  people: {phones: {phone: {}}, opt_out: {field: optout}, region: {default: US}}
  firms: {phones: {phone: {}}, region: {default: US}}
"""
PHONE, E164 = "+1 415 555 0132", "+14155550132"


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    crm = MemoryCrm(resolve(parse_mapping(MAPPING, "test"), companion_name), clock)
    for id_ in ("landed", "lost", "edited", "flagged", "merged", "winner", "deleted"):
        crm.put("people", id_, phone=PHONE)
    return crm


@pytest.fixture
def org(crm: MemoryCrm, store: Store) -> int:
    return register_org(store, crm.identify())


@pytest.fixture
def killed(store: Store, org: int, clock: SetClock) -> Journal:
    """A run that was killed before it told its end."""
    journal = Journal(store, "killed")
    journal.begin("memory", org, clock.now(), dry_run=False, options={})
    return journal


@pytest.fixture
def settle_all(crm: MemoryCrm, store: Store, org: int, clock: SetClock) -> Any:
    """Reconcile as the run after it does; tell how many rows were judged."""

    def run() -> int:
        crm.calls.clear()
        return reconcile(crm, crm.shapes, store, org, "next", clock, lambda: None)

    return run


def change(id_: str, kind: str = "people", **fields: Any) -> Change:
    told = fields or {"rf_phone_status": "valid", "rf_phone_e164": E164}
    return Change.of(kind, id_, tuple(FieldChange(name, None, value) for name, value in told.items()))


def judged(store: Store) -> dict[str, Outcome | str]:
    rows = list(read_changes(store, "killed"))
    return {row.change.id: row.result.code or row.result.outcome if row.result else "open" for row in rows}


def test_each_row_is_judged_by_what_the_crm_holds_now(
    crm: MemoryCrm, store: Store, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    ids = ("landed", "lost", "edited", "merged", "deleted")
    silenced = change("flagged", rf_phone_status="do_not_contact", optout=True)
    killed.plan_batch([*map(change, ids), silenced, change("f1", "gone_object")], clock.now())
    crm.put("people", "landed", rf_phone_status="valid", rf_phone_e164=f" {E164} ")
    crm.put("people", "edited", rf_phone_status="valid", rf_phone_e164="+14155550199")
    crm.put("people", "flagged", optout=True)  # by a person: the status was not written with it
    crm.merge("people", "winner", "merged")
    crm.delete("people", "deleted")
    before = {id_: dict(row) for id_, row in crm.rows["people"].items()}

    assert settle_all() == 7
    assert judged(store) == {
        "landed": Outcome.WRITTEN,
        "lost": "NOT_WRITTEN",
        "edited": Outcome.WRITTEN,
        "flagged": "NOT_WRITTEN",
        "merged": "GONE",
        "deleted": "GONE",
        "f1": "GONE",
    }
    assert crm.rows["people"] == before
    assert crm.calls["write"] == 0


def test_a_second_look_finds_nothing_open_and_costs_no_call(
    crm: MemoryCrm, store: Store, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    killed.plan_batch([change("landed")], clock.now())
    assert settle_all() == 1
    assert settle_all() == 0
    assert crm.calls.total() == 0


def test_what_was_held_back_was_never_sent_and_is_not_even_read(
    crm: MemoryCrm, store: Store, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    killed.plan_batch([change("landed"), change("lost")], clock.now(), held=True)
    assert settle_all() == 0
    assert judged(store) == {"landed": "NOT_SENT", "lost": "NOT_SENT"}
    assert crm.calls.total() == 0


def test_an_answer_that_is_on_record_is_not_judged_again(
    store: Store, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    seq = killed.plan_batch([change("lost")], clock.now())
    killed.settle_batch(seq, [RowResult(Outcome.REFUSED, "RULE", "no")], clock.now())
    killed.plan_batch([change("edited")], clock.now())
    assert settle_all() == 1
    assert judged(store) == {"lost": "RULE", "edited": "NOT_WRITTEN"}


def test_the_run_that_died_is_told_to_the_history_and_the_one_that_asks_is_not(
    store: Store, org: int, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    Journal(store, "next").begin("memory", org, clock.now(), dry_run=False, options={})
    settle_all()
    assert find_run(store, "killed").outcome is RunOutcome.KILLED
    assert find_run(store, "next").outcome is RunOutcome.RUNNING


def test_an_opt_out_seen_on_the_way_is_taken_in(
    crm: MemoryCrm, store: Store, org: int, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    killed.plan_batch([change("landed")], clock.now())
    crm.put("people", "landed", optout=True)

    settle_all()

    assert judged(store) == {"landed": "NOT_WRITTEN"}
    assert OptOutLedger(store, org, "next", clock).covered([E164]) == {E164}


def test_a_flag_that_the_dead_run_had_raised_is_known_as_ringfences_own(
    crm: MemoryCrm, store: Store, org: int, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    killed.plan_batch([change("landed", optout=True)], clock.now())
    crm.put("people", "landed", optout=True)

    settle_all()

    ledger = OptOutLedger(store, org, "next", clock)
    assert judged(store) == {"landed": Outcome.WRITTEN}
    assert ledger.look_up([E164], [("people", "landed")]) == OptOuts(derived=frozenset({("people", "landed")}))


def test_a_large_batch_over_two_objects_is_fetched_by_object(
    crm: MemoryCrm, store: Store, killed: Journal, settle_all: Any, clock: SetClock
) -> None:
    crm.page_size = 1000
    for i in range(250):
        crm.put("people", f"p{i}", phone=PHONE)
        crm.put("firms", f"p{i}", phone=PHONE, rf_phone_status="valid", rf_phone_e164=E164)

    killed.plan_batch([change(f"p{i}", kind) for i in range(250) for kind in ("people", "firms")], clock.now())

    assert settle_all() == 500
    assert crm.calls["read"] == 2

    by_object: dict[str, set[Outcome]] = {}
    for row in read_changes(store, "killed"):
        assert row.result
        by_object.setdefault(row.change.object, set()).add(row.result.outcome)

    assert by_object == {"people": {Outcome.LOST}, "firms": {Outcome.WRITTEN}}
