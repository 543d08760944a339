"""The one loop, over the in-memory CRM and a real SQLite store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.connectors.memory.connector import MemoryFeed
from ringfence.connectors.memory.lookup import PROFILE
from ringfence.core.errors import UsageError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Outcome
from ringfence.core.numbers import Validity
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.journal import read_changes
from ringfence.core.state.run_history import find_run
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Sync

GOOD = "+1 415 555 0132"
OTHER = "+44 20 7946 0018"


def status(crm: MemoryCrm, id_: str, slot: str = "phone") -> Any:
    return crm.rows["people"][id_].get(f"rf_{slot}_status")


def test_first_run_screens_everything_and_the_second_writes_nothing(crm: MemoryCrm, sync: Sync) -> None:
    for i in range(10):
        crm.put("people", f"p{i}", phone=GOOD if i % 2 else "n/a", mobile=OTHER)
    first = sync()

    assert first.complete
    assert first.total("written") == 10
    assert first.total("screened") == 20
    assert status(crm, "p1") == "valid"
    assert status(crm, "p0") == "invalid"

    row = crm.rows["people"]["p1"]
    assert row["rf_phone_e164"] == "+14155550132"
    assert row["rf_phone_screened_value"] == GOOD
    assert row["rf_mobile_e164"] == "+442079460018"

    second = sync()
    assert second.total("written") == 0

    third = sync()
    assert third.total("read") == 0


def test_edited_emptied_and_aged_slots_are_due_again(crm: MemoryCrm, sync: Sync, clock: SetClock) -> None:
    crm.put("people", "p1", phone=GOOD, mobile=OTHER)
    crm.put("people", "p2", phone=GOOD)
    sync()
    crm.put("people", "p1", phone=OTHER, mobile="")

    assert sync().total("written") == 1

    row = crm.rows["people"]["p1"]
    assert row["rf_phone_e164"] == "+442079460018"
    assert all(row[f"rf_mobile_{c}"] is None for c in ("status", "reason", "e164", "screened_value", "last_screened"))

    clock.advance(days=31)
    aged = sync()

    assert aged.total("written") == 2
    assert aged.due_reasons == {"aged": 2}


def test_flag_reaches_every_holder_also_fresh_and_out_of_scope_ones(crm: MemoryCrm, sync: Sync) -> None:
    crm.in_scope = lambda _object, row: row.get("vip") is not True
    crm.fields["people"].add("vip")
    crm.put("people", "p1", phone=GOOD)
    crm.put("people", "p2", mobile="(415) 555-0132")
    crm.put("people", "p3", phone="1-415-555-0132", vip=True)
    crm.put("people", "p4", phone=OTHER)
    sync()

    assert status(crm, "p3") is None

    crm.put("people", "p1", optout=True)
    summary = sync()

    assert [crm.rows["people"][p].get("optout") for p in ("p1", "p2", "p3", "p4")] == [True, True, True, None]
    assert status(crm, "p1") == status(crm, "p2", "mobile") == status(crm, "p3") == "do_not_contact"
    assert status(crm, "p4") == "valid"
    assert summary.total("opt_outs_enforced") == 3
    assert sync().total("written") == 0


def test_a_flag_that_ringfence_raised_covers_no_other_number_of_that_record(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "p1", phone=GOOD, optout=True)
    crm.put("people", "p2", phone=GOOD, mobile=OTHER)
    crm.put("people", "p3", phone=OTHER)

    sync()

    assert [crm.rows["people"][p].get("optout") for p in ("p1", "p2", "p3")] == [True, True, None]
    assert status(crm, "p2", "mobile") == "do_not_contact"
    assert status(crm, "p3") == "valid"


def test_lowered_flag_is_raised_while_another_record_asks_for_silence(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "p1", phone=GOOD, optout=True)
    crm.put("people", "p2", phone=GOOD, optout=True)
    sync()
    crm.put("people", "p1", optout=False)
    summary = sync()

    assert crm.rows["people"]["p1"]["optout"] is True
    assert summary.total("opt_outs_enforced") == 1

    crm.put("people", "p1", optout=False)
    crm.put("people", "p2", optout=False)
    sync()

    assert [crm.rows["people"][p]["optout"] for p in ("p1", "p2")] == [False, False]
    assert status(crm, "p1") == status(crm, "p2") == "valid"


def test_switchboard_is_silenced_but_not_flagged_until_confirmed(crm: MemoryCrm, sync: Sync) -> None:
    for i in range(6):
        crm.put("people", f"p{i}", phone=GOOD, optout=i == 0)
    summary = sync()

    assert [crm.rows["people"][f"p{i}"].get("optout") for i in range(6)] == [True] + [False] * 5
    assert {status(crm, f"p{i}") for i in range(6)} == {"do_not_contact"}
    assert [(s.number, s.holders) for s in summary.spread] == [("+1415***0132", 6)]
    assert sync().total("written") == 0

    sync(confirm_spread=True)
    assert all(crm.rows["people"][f"p{i}"]["optout"] for i in range(6))


def test_dry_run_leaves_crm_and_state_as_they_were(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "p1", phone=GOOD, optout=True)
    crm.put("people", "p2", phone=GOOD, mobile=OTHER)
    before = {id_: dict(row) for id_, row in crm.rows["people"].items()}
    rehearsal = sync(dry_run=True)

    assert crm.rows["people"] == before

    real = sync()
    for name in ("read", "due", "written", "opt_outs_enforced"):
        assert rehearsal.total(name) == real.total(name)


def test_dry_run_counts_a_record_once_that_is_changed_and_never_screened(
    crm: MemoryCrm, sync: Sync, clock: SetClock
) -> None:
    crm.put("people", "p1", phone=GOOD)
    sync()
    clock.advance(days=31)
    crm.put("people", "p2", phone=OTHER)
    rehearsal, real = sync(dry_run=True), sync()
    assert rehearsal.total("written") == real.total("written") == 2
    assert rehearsal.total("read") == real.total("read")


def test_refused_rows_come_back_until_they_pass(crm: MemoryCrm, sync: Sync, store: Store) -> None:
    for i in range(5):
        crm.put("people", f"p{i}", phone=GOOD)
    crm.refuse = lambda change: ("RULE", "no changes on Mondays") if change.id == "p3" else None
    first = sync()

    assert first.total("written") == 4
    assert [(row.id, row.code) for row in first.refused] == [("p3", "RULE")]
    assert find_run(store, first.run_id).outcome is RunOutcome.REFUSED_ROWS

    outcomes = [row.result.outcome for row in read_changes(store, first.run_id) if row.result]
    assert outcomes.count(Outcome.REFUSED) == 1
    assert sync().total("failed") == 1

    crm.refuse = lambda change: None
    assert sync().total("written") == 1
    assert sync().waiting == {}


@pytest.mark.parametrize(("winner", "loser"), [("p0", "p5"), ("p5", "p0")])
def test_a_survivor_that_waits_under_two_ids_is_written_once(
    crm: MemoryCrm, sync: Sync, monkeypatch: pytest.MonkeyPatch, winner: str, loser: str
) -> None:
    for i in range(6):
        crm.put("people", f"p{i}", phone=GOOD)
    crm.refuse = lambda _change: ("RULE", "no changes on Mondays")

    assert sync().waiting == {"failed": 6}

    for i in range(1, 5):
        crm.delete("people", f"p{i}")
    crm.merge("people", winner, loser)
    crm.refuse = lambda _change: None
    # The index does not show anything of it yet.
    monkeypatch.setattr(MemoryFeed, "every", lambda *_: [])
    last = sync()

    assert (last.total("read"), last.total("written"), last.waiting) == (1, 1, {})


def test_limit_leaves_the_cursor_in_front_of_the_rest(crm: MemoryCrm, sync: Sync) -> None:
    for i in range(10):
        crm.put("people", f"p{i}", phone=GOOD)
    sizes = [sync(limit=4) for _ in range(3)]
    assert [s.total("written") for s in sizes] == [4, 4, 2]
    assert [s.complete for s in sizes] == [False, False, True]


def test_a_limit_gets_on_by_the_age_of_a_policy_and_not_by_a_rescreen(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock
) -> None:
    for i in range(8):
        crm.put("people", f"p{i}", phone=GOOD)
    sync()
    clock.advance(days=3)

    with pytest.raises(UsageError, match="the same records again"):
        sync(rescreen=True, limit=3)

    job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(max_age_days=2), clock)
    parts = [run_sync(job, SyncOptions(limit=3)) for _ in range(3)]

    assert [(part.total("written"), part.complete) for part in parts] == [(3, False), (3, False), (2, True)]


def test_lagging_index_is_read_again_before_writing(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "p1", phone=GOOD)
    crm.put("people", "p2", phone=OTHER)
    crm.freeze_index()
    crm.put("people", "p1", phone=OTHER)
    crm.put("people", "p2", optout=True)
    sync()

    assert crm.rows["people"]["p1"]["rf_phone_screened_value"] == OTHER
    assert status(crm, "p2") == "do_not_contact"
    assert crm.rows["people"]["p1"]["optout"] is True


def test_deleted_and_merged_records_end_as_conflicts(crm: MemoryCrm, sync: Sync) -> None:
    for i in range(4):
        crm.put("people", f"p{i}", phone=GOOD)
    crm.freeze_index()
    crm.delete("people", "p1")
    crm.merge("people", "p0", "p2")
    summary = sync()

    assert summary.total("written") == 2
    assert summary.total("conflicts") == 2


def test_many_records_turning_invalid_stop_the_run(crm: MemoryCrm, sync: Sync) -> None:
    crm.capabilities = type(crm.capabilities)(write_batch=60)
    for i in range(60):
        crm.put("people", f"p{i:02}", phone="020 7946 0018", country="United Kingdom")
    sync()
    for i in range(60):
        crm.put("people", f"p{i:02}", country="US", phone="020 7946 0019")
    stopped = sync()

    assert "would become invalid" in stopped.stopped
    assert status(crm, "p00") == "valid"
    assert sync(accept_mass_change=True).total("written") == 60


def test_of_two_verdicts_about_a_number_in_the_crm_the_newer_one_counts(
    crm: MemoryCrm, sync: Sync, clock: SetClock, make_provider: MakeProvider
) -> None:
    for id_, told, reason, days in (
        ("p1", "disconnected", "out_of_service: first says so", 1),
        ("p2", "active", "live: first confirmed the line", 29),
    ):
        crm.put("people", id_, phone=GOOD, rf_phone_status=told, rf_phone_reason=reason, rf_phone_e164="+14155550132")
        screened_at = clock.now() - timedelta(days=days)
        crm.put("people", id_, rf_phone_screened_value=GOOD, rf_phone_last_screened=screened_at)

    crm.put("people", "p3", phone=GOOD)
    provider = make_provider()
    sync(lookups=[provider])

    assert status(crm, "p3") == "disconnected"

    clock.advance(days=2)
    assert sync(lookups=[provider]).due_reasons == {"aged": 1}
    assert status(crm, "p2") == "disconnected"
    assert provider.asked == []


def test_lowering_the_flag_of_a_switchboard_frees_its_other_holders(crm: MemoryCrm, sync: Sync) -> None:
    for i in range(6):
        crm.put("people", f"p{i}", phone=GOOD, optout=i == 0)
    sync()

    assert {status(crm, f"p{i}") for i in range(6)} == {"do_not_contact"}

    crm.put("people", "p0", optout=False)
    sync()

    assert {status(crm, f"p{i}") for i in range(6)} == {"valid"}
    assert not any(crm.rows["people"][f"p{i}"]["optout"] for i in range(6))
    assert sync().total("written") == 0


def test_a_budget_that_cuts_a_first_read_keeps_no_opt_out_waiting(crm: MemoryCrm, sync: Sync, clock: SetClock) -> None:
    crm.put("people", "a", phone=GOOD)
    for i in range(12):
        crm.put("people", f"m{i:02}", phone=f"+1 415 555 01{40 + i}")
    crm.put("people", "z", phone=GOOD, optout=True)
    asked: list[str] = []

    class Provider:
        name, realm, price, pace = "fake", "fake:host:account", 0.0, None
        profile = PROFILE

        def check(self) -> str | None:
            return None

        def look_up(self, numbers: Any) -> Iterator[Answer]:
            for number in numbers:
                asked.append(number)
                yield Answer(number, AnswerKind.KNOWN, clock.now(), validity=Validity.VALID, line="active")

        def close(self) -> None:
            """Nothing is held."""

    def run() -> Summary:
        return sync(lookups=[Provider()], max_lookups=4)

    first = run()

    assert not first.complete
    assert first.total("read") == 14
    assert status(crm, "a") == "do_not_contact"
    assert crm.rows["people"]["a"]["optout"] is True
    for _ in range(5):
        if run().complete:
            break
    assert len(asked) == len(set(asked)) == 12
    assert run().total("written") == 0
