"""Old history is forgotten, and nothing that a later run or an opt-out needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.blocks import Channel
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.signals import OptOutWord, Signal
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.state import purge as purge_module
from ringfence.core.state import schema
from ringfence.core.state.cursors import register_org
from ringfence.core.state.deleting import delete_some_rows
from ringfence.core.state.evidence import list_evidence
from ringfence.core.state.flag_states import FlagState
from ringfence.core.state.heard_signals import hear
from ringfence.core.state.journal import Journal
from ringfence.core.state.leases import Holder, take_lease
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.purge import BUSY, UNSETTLED, Limits, Purged, purge_history
from ringfence.core.state.run_history import STATE, find_run, list_runs
from ringfence.core.state.store import Store
from ringfence.core.suppression.signals import SignalIntake
from testkit.clock import SetClock

SYNC = {"rescreen": False, "providers": []}
NUMBER = "+14155550132"


@pytest.fixture
def org(store: Store) -> int:
    return register_org(store, Org("memory", "1", "One", production=False))


@pytest.fixture
def run(store: Store, org: int, clock: SetClock) -> Any:
    """Keep a run of a sync that wrote one change; the clock is a second further for each."""

    def keep(
        run_id: str,
        *,
        org_id: int | None = org,
        complete: bool = True,
        settled: bool = True,
        dry_run: bool = False,
        options: Any = SYNC,
    ) -> str:
        clock.advance(seconds=1)
        journal = Journal(store, run_id)
        journal.begin("memory", org_id, clock.now(), dry_run=dry_run, options=options)
        change = Change.of("people", "p1", (FieldChange("phone", "1", "2"),))
        seq = journal.plan_batch([change], clock.now())
        if settled:
            journal.settle_batch(seq, [RowResult(Outcome.WRITTEN)], clock.now())
        journal.end(clock.now(), RunOutcome.DONE, {"complete": complete}, None)
        return run_id

    return keep


@pytest.fixture
def purge(store: Store, clock: SetClock) -> Any:
    """Forget what is older than so many days."""

    def forget(days: int = 0, *, dry_run: bool = False) -> Purged:
        clock.advance(seconds=1)
        before = clock.now() - timedelta(days=days)
        this_run = f"purge of {clock.now():%Y%m%d-%H%M%S}"
        journal = Journal(store, this_run)
        journal.begin(STATE, None, clock.now(), dry_run=dry_run, options={"purged_before": before.isoformat()})
        return purge_history(store, Limits(before, before - timedelta(days=30)), this_run, clock, dry_run=dry_run)

    return forget


def left(store: Store) -> set[str]:
    return {run.id for run in list_runs(store, 100) if run.crm != STATE}


def test_runs_of_before_are_forgotten_with_their_changes(store: Store, run: Any, purge: Any, clock: SetClock) -> None:
    run("old")
    clock.advance(days=10)
    run("young")
    run("latest")

    purged = purge(5)

    assert left(store) == {"young", "latest"}
    assert purged.rows["runs"] == purged.rows["batches"] == 1


def test_a_dry_run_counts_the_same_and_forgets_nothing(store: Store, run: Any, purge: Any) -> None:
    for name in ("one", "two", "three"):
        run(name)

    counted = purge(dry_run=True)

    assert left(store) == {"one", "two", "three"}
    assert (counted.rows["runs"], counted.rows["batches"]) == (2, 2)


def test_the_latest_complete_sync_stays_with_all_that_came_after_it(store: Store, run: Any, purge: Any) -> None:
    run("older")
    run("complete")
    run("rehearsal", dry_run=True)
    run("cut off", complete=False)

    purge()

    assert left(store) == {"complete", "cut off"}


def test_what_is_not_settled_waits_for_the_next_sync(store: Store, run: Any, purge: Any) -> None:
    run("killed", settled=False)
    run("latest")

    purge()

    assert left(store) == {"killed", "latest"}


def test_a_plan_that_was_just_applied_is_still_known_to_be(store: Store, run: Any, purge: Any, clock: SetClock) -> None:
    run("applied", options={"apply": "rehearsal"})
    run("latest")

    purge()
    assert left(store) == {"applied", "latest"}

    clock.advance(days=2)
    purge()
    assert left(store) == {"latest"}


def test_an_account_on_which_a_run_is_at_work_keeps_its_history(
    store: Store, org: int, run: Any, purge: Any, clock: SetClock
) -> None:
    run("older")
    run("latest")
    take_lease(store, org, "at work", clock.now(), Holder("another machine", 1, ""))

    purged = purge()

    assert left(store) == {"older", "latest"}
    assert purged.kept == {"memory:1": BUSY}


def test_flags_whose_owner_only_the_journal_knows_keep_it(store: Store, org: int, run: Any, purge: Any) -> None:
    run("raised them")
    run("latest")
    row = {
        "org_id": org,
        "number_key": b"k" * 16,
        "object": "people",
        "record_id": "p1",
        "state": FlagState.UNSETTLED.value,
        "propagated": True,
        "last_seen_run_id": "latest",
    }
    with store.transaction() as connection:
        connection.execute(sa.insert(schema.opt_out_flags).values(row))

    purged = purge()

    assert left(store) == {"raised them", "latest"}
    assert purged.kept == {"memory:1": UNSETTLED}


def test_screenings_of_no_account_go_but_one_that_is_at_work(store: Store, run: Any, purge: Any) -> None:
    run("screened", org_id=None)
    with store.transaction() as connection:
        values = {"id": "screening", "crm": "screen", "dry_run": False, "outcome": "running", "options": "{}"}
        connection.execute(sa.insert(schema.runs).values(**values, started_at=SetClock().now()))

    purge()

    assert left(store) == {"screening"}


def test_answers_go_that_are_stale_anyway_and_marks_of_lost_ones_stay(
    store: Store, purge: Any, clock: SetClock
) -> None:
    cache, since = LookupCache(store, "r1"), clock.now() - timedelta(days=30)
    cache.record_answer("first", Answer(NUMBER, AnswerKind.KNOWN, clock.now(), validity=Validity.VALID))
    cache.claim("first", [Answer("+14155550133", AnswerKind.LOST, clock.now())], since, again=False)
    clock.advance(days=29)
    assert purge().rows["lookup_answers"] == 0

    clock.advance(days=2)
    assert purge().rows["lookup_answers"] == 1

    with store.transaction() as connection:
        marks = connection.scalar(sa.select(sa.func.count()).select_from(schema.lookup_questions))
    assert marks == 1


def test_the_history_of_live_answers_goes_as_runs_do(store: Store, purge: Any, clock: SetClock) -> None:
    live = {"line": "unreachable", "evidence": Evidence.LIVE_NETWORK}
    LookupCache(store, "r1").record_answer("first", Answer(NUMBER, AnswerKind.KNOWN, clock.now(), **live))
    clock.advance(days=60)
    assert purge(90).rows["lookup_history"] == 0
    clock.advance(days=31)
    assert purge(90).rows["lookup_history"] == 1


def test_a_run_that_is_forgotten_is_named_as_such(store: Store, run: Any, purge: Any) -> None:
    run("20250101-120000-aaaaaaaa")
    run("20250101-120001-bbbbbbbb")
    purge()

    with pytest.raises(UsageError) as refused:
        find_run(store, "20250101-120000-aaaaaaaa")
    assert refused.value.code is ErrorCode.RUN_PURGED

    with pytest.raises(UsageError) as unknown:
        find_run(store, "29990101-120000-cccccccc")
    assert unknown.value.code is ErrorCode.RUN_NOT_FOUND


def test_many_rows_are_gone_through_some_at_a_time(store: Store, org: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.core.state.deleting.ROWS", 3)
    table = schema.holdings
    rows = [
        {"org_id": org, "number_key": bytes([0] * 15 + [i]), "object": "people", "record_id": f"p{i % 2}"}
        for i in range(10)
    ]
    with store.transaction() as connection:
        connection.execute(sa.insert(table), rows)

    removed = delete_some_rows(store, table, table.c.number_key, (table.c.org_id == org,), (table.c.record_id == "p1",))

    assert removed == 5


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("killed_in", ["delete_journals", "forget_parts", "_purge_lookups", "give_back_space"])
def test_killed_anywhere_and_run_again_the_end_is_the_same(
    store: Store, run: Any, purge: Any, clock: SetClock, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    def die(*_words: object, **_options: object) -> None:
        raise KeyboardInterrupt

    for name in ("oldest", "old"):
        run(name)
    cache = LookupCache(store, "old")
    cache.keep("twilio:a", [Answer(NUMBER, AnswerKind.KNOWN, clock.now(), validity=Validity.VALID)])
    clock.advance(days=60)
    run("latest")

    with monkeypatch.context() as patched:
        patched.setattr(purge_module, killed_in, die)
        with pytest.raises(KeyboardInterrupt):
            purge(5)
    purge(5)

    assert left(store) == {"latest"}
    with store.transaction() as connection:
        assert set(connection.scalars(sa.select(schema.batches.c.run_id))) == {"latest"}
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.lookup_answers)) == 0


def test_old_evidence_goes_but_for_the_order_of_words_and_what_could_be_told_again_is_known(
    store: Store, clock: SetClock
) -> None:
    began = clock.now()
    intake = SignalIntake(store.keyring, "", Channel.SMS, began, lambda org: org)
    told = (
        ("twilio", OptOutWord.STOP),
        ("telnyx", OptOutWord.STOP),
        ("vonage", OptOutWord.NEAR_STOP),
        ("vonage", None),
    )
    with store.transaction() as connection:
        for place, (vendor, word) in enumerate(told):
            signal = Signal(vendor, f"m{place}", NUMBER, began, word=word, channel=Channel.SMS)
            intake.take_in(connection, signal, [NUMBER])
    clock.advance(days=400)
    limits = Limits(clock.now() - timedelta(days=1), clock.now() - timedelta(days=1))
    counted = purge_history(store, limits, "p", clock, dry_run=True).rows
    purged = purge_history(store, limits, "p", clock, dry_run=False).rows

    assert +counted == +purged == {"evidence": 2, "heard_signals": 3, "number_signs": 1}
    with store.transaction() as connection:
        kept = list(list_evidence(connection, store.keyring, store.keyring.number_key(NUMBER)))
        again = [
            hear(connection, store.keyring, vendor, "m0", clock.now(), timeless=False) for vendor in ("twilio", "x")
        ]
    assert [each.source for each in kept] == ["twilio", "telnyx"]
    assert again == [False, True]
