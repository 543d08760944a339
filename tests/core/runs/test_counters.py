"""What a summary counts: each record once, as the gravest of its outcomes, and slots of written records alone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.errors import AuthenticationError
from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.policy import Policy
from ringfence.core.runs.record_tally import CONFLICTS, DEFERRED, FAILED, UNCHANGED, WRITTEN, RecordTally
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state import schema
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import PEOPLE, MakeProvider, Sync, make_crm

GOOD, OTHER = "+1 415 555 0132", "+44 20 7946 0018"


def test_a_refused_or_conflicting_row_is_not_screened(crm: MemoryCrm, sync: Sync, monkeypatch: Any) -> None:
    for i in range(4):
        crm.put("people", f"p{i}", phone=GOOD, mobile=OTHER)
    crm.refuse = lambda change: ("RULE", "frozen") if change.id == "p1" else None
    write_one = MemoryCrm.write_one

    def write(self: MemoryCrm, change: Any) -> Any:
        if change.id == "p2":
            self.rows["people"].pop("p2", None)
        return write_one(self, change)

    monkeypatch.setattr(MemoryCrm, "write_one", write)

    summary = sync()

    document = summary.to_json()
    assert (summary.total("written"), summary.total("screened")) == (2, 4)
    assert document["statuses"] == {"valid": 4}
    assert document["due_reasons"] == {"new": 4}
    assert (document["refused_total"], document["conflicts_total"]) == (1, 1)
    assert [row["id"] for row in document["refused"]] == ["p1"]
    assert [(row["object"], row["id"]) for row in document["conflicts"]] == [("people", "p2")]
    assert document["exit_code"] == 1


def test_a_record_with_a_slot_that_waits_counts_as_deferred_and_as_not_screened(
    crm: MemoryCrm, sync: Sync, make_provider: MakeProvider
) -> None:
    crm.put("people", "p1", phone=GOOD, mobile="12")
    provider = make_provider(says={"+14155550132": {"kind": AnswerKind.FAILED, "paid": False}})

    summary = sync(lookups=[provider])

    assert crm.rows["people"]["p1"]["rf_mobile_status"] == "invalid"
    assert (summary.total("deferred"), summary.total("written"), summary.total("screened")) == (1, 0, 0)


def test_flags_and_silenced_slots_are_counted_beside_the_records(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "asks", phone=GOOD, mobile=OTHER, optout=True)
    crm.put("people", "shares", phone=GOOD)

    summary = sync()

    counts = summary.to_json()["objects"]["people"]
    assert (counts["opt_outs_enforced"], counts["flags_raised"], counts["slots_silenced"]) == (2, 1, 3)


@pytest.mark.parametrize("words", [{}, {"full": True}])
def test_a_record_counts_once_however_often_the_run_meets_it(crm: MemoryCrm, sync: Sync, words: dict[str, Any]) -> None:
    for i in range(6):
        crm.put("people", f"p{i}", phone=GOOD)
    sync()
    crm.put("people", "p0", optout=True)
    crm.put("people", "p1", mobile=OTHER)

    summary = sync(confirm_spread=True, **words)

    assert summary.total("read") == 6
    assert summary.total("written") == 6


@pytest.mark.parametrize(
    ("outcomes", "counted"),
    [
        (["fresh", WRITTEN], WRITTEN),
        ([WRITTEN, "fresh"], WRITTEN),
        ([UNCHANGED, WRITTEN, DEFERRED, CONFLICTS, FAILED], FAILED),
        ([FAILED, CONFLICTS, DEFERRED, WRITTEN, UNCHANGED], FAILED),
    ],
)
def test_the_gravest_outcome_stands(outcomes: list[str], counted: str) -> None:
    tally = RecordTally()
    standing: list[str] = []
    for outcome in outcomes:
        before = tally.take(("people", "p1"), outcome)
        if before is not None:
            standing = [outcome]

    assert standing == [counted]
    assert tally.take(("people", "p2"), "fresh") == ""


def test_providers_tell_what_they_were_asked_and_what_stopped_them(
    crm: MemoryCrm, sync: Sync, store: Store, make_provider: MakeProvider
) -> None:
    for i in range(3):
        crm.put("people", f"p{i}", phone=f"+1 415 555 013{i}")
    one = make_provider(says={"+14155550131": AuthenticationError("expired")})

    one.price = 0.5
    planned = sync(lookups=[one], dry_run=True).to_json()
    with pytest.raises(AuthenticationError):
        sync(lookups=[one])

    assert (planned["lookups_planned"], planned["cost_planned"]) == (3, 1.5)
    run = list_runs(store)[0]
    assert run.summary is not None
    assert run.summary["providers"] == {"first": {"asked": 2, "lost": 0, "cost": 0.5, "stopped": "authentication"}}
    assert run.summary["exit_code"] == 3


@pytest.mark.parametrize("dry_run", [False, True])
def test_rewritten_phone_fields_are_counted_by_themselves_with_masked_examples(
    store: Store, clock: SetClock, dry_run: bool
) -> None:
    crm = make_crm(clock, PEOPLE.replace("mobile: {}", "mobile: {normalize: true}"))
    crm.put("people", "p1", phone="(415) 555-0132", mobile="(415) 555-0133")
    crm.put("people", "p2", mobile="+14155550134")
    job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock)

    document = run_sync(job, SyncOptions(dry_run=dry_run)).to_json()

    assert document["objects"]["people"]["phones_rewritten"] == 1
    (shown,) = document["rewrites_shown"]
    assert (shown["object"], shown["id"], shown["field"]) == ("people", "p1", "mobile")
    assert shown["new"] == "+1415***0133"
    assert "555" not in shown["old"]
    assert "(415) 555-0133" not in str(document)
    assert "+14155550133" not in str(document)


def test_normalize_switched_on_says_how_many_fresh_phone_fields_it_would_rewrite(store: Store, clock: SetClock) -> None:
    crm = make_crm(clock, PEOPLE)
    crm.put("people", "p1", phone="(415) 555-0132", mobile="(415) 555-0133")
    crm.put("people", "p2", mobile="+14155550134")
    run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions())
    normalizing = make_crm(clock, PEOPLE.replace("mobile: {}", "mobile: {normalize: true}"))
    normalizing.rows, normalizing.modified = crm.rows, crm.modified
    job = SyncJob(normalizing, crm.identify(), normalizing.shapes, store, Policy(), clock)

    fresh = run_sync(job, SyncOptions(full=True))
    rescreened = run_sync(job, SyncOptions(rescreen=True))

    assert (fresh.fresh_not_normalized, fresh.total("phones_rewritten")) == (1, 0)
    assert (rescreened.fresh_not_normalized, rescreened.total("phones_rewritten")) == (0, 1)


def test_a_dry_run_leaves_to_a_real_one_what_a_killed_run_left(crm: MemoryCrm, sync: Sync, store: Store) -> None:
    crm.put("people", "p1", phone=GOOD)
    sync()
    with store.transaction() as connection:
        connection.execute(update(schema.batches).values(settled_at=None, results=None))

    rehearsed = sync(dry_run=True)
    real = sync()

    assert (rehearsed.reconciled, real.reconciled) == (0, 1)
