"""``suppress lift``: the only thing that lowers a flag, everywhere at once, and for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.core.errors import UnreachableError
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, RecordName
from ringfence.core.runs.lift import LiftOrder, run_lift
from ringfence.core.runs.lift_ledger import LedgerLift
from ringfence.core.runs.lift_summary import Lifted
from ringfence.core.runs.undo import undo_run
from ringfence.core.state.audit import AuditLog
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.run_history import find_run, list_runs
from ringfence.core.state.store import Store
from ringfence.core.suppression.question import SuppressionQuestion
from testkit.clock import SetClock
from testkit.two_accounts import Accounts

NUMBER, OTHER, THIRD = "+14155552671", "+14155552672", "+14155552673"

Lift = Callable[..., Lifted]

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.fixture
def accounts(store: Store, clock: SetClock) -> Accounts:
    found = Accounts(store, clock)
    for name in ("first", "second"):
        found.open(name)
    return found


@pytest.fixture
def lift(accounts: Accounts) -> Lift:
    def call(number: str = NUMBER, *, dry_run: bool = False) -> Lifted:
        accounts.clock.advance(seconds=10)
        jobs = [accounts.job(name) for name in accounts.crms]
        order = LiftOrder((number,), "", "ann@desk", "clicked by mistake", jobs)
        return run_lift(order, accounts.store, accounts.clock, dry_run=dry_run)

    return call


def is_suppressed(accounts: Accounts, number: str) -> bool:
    question = SuppressionQuestion(accounts.store, "", accounts.clock, production=False)
    return bool(question.find_blocked([number], Channel.ALL))


def counts(lifted: Lifted) -> dict[str, int]:
    return {summary.crm: summary.flags_lowered for summary in lifted.summaries}


def spread_one_click(accounts: Accounts) -> None:
    """Opt one record out that shares its number with three of another account."""
    accounts.crms["first"].put("people", "a", phone=NUMBER, optout=True)
    for record_id in "bcd":
        accounts.crms["second"].put("people", record_id, phone=NUMBER)
    accounts.sync_all()
    assert [accounts.said("second", each)[0] for each in "bcd"] == [True, True, True]


def test_a_lift_lowers_every_flag_and_the_next_syncs_leave_them_down(accounts: Accounts, lift: Lift) -> None:
    spread_one_click(accounts)

    lifted = lift()

    assert counts(lifted) == {"first": 1, "second": 3}
    assert not is_suppressed(accounts, NUMBER)
    for _ in range(2):
        summaries = accounts.sync_all()
        assert [accounts.said("first", "a"), *(accounts.said("second", each) for each in "bcd")] == [
            (False, "valid")
        ] * 4
        assert [summary.stale_flags for summary in summaries.values()] == [[], []]


def test_a_dry_run_says_the_same_and_changes_nothing(accounts: Accounts, lift: Lift) -> None:
    spread_one_click(accounts)
    accounts.add(NUMBER)

    lifted = lift(dry_run=True)

    assert (counts(lifted), len(lifted.entries)) == ({"first": 1, "second": 3}, 1)
    assert accounts.said("first", "a")[0] is True
    assert is_suppressed(accounts, NUMBER)
    with accounts.store.transaction() as connection:
        assert AuditLog(accounts.store.keyring).latest(connection, None, 10) == []


def test_entries_of_people_and_signals_end_with_the_flags_that_they_raised(accounts: Accounts, lift: Lift) -> None:
    accounts.crms["second"].put("people", "b", phone=NUMBER)
    accounts.add(NUMBER)
    accounts.add(NUMBER, kind=BlockKind.OPTED_OUT, source=BlockSource.SIGNAL, channel=Channel.SMS)
    accounts.add(NUMBER, kind=BlockKind.WRONG_PERSON, record=RecordName("second", "people", "b"))
    accounts.sync_all()
    assert accounts.said("second", "b")[0] is True

    lifted = lift()

    accounts.sync_all()
    assert (len(lifted.entries), counts(lifted)) == (2, {"first": 0, "second": 1})
    assert accounts.said("second", "b")[0] is False
    assert not is_suppressed(accounts, NUMBER)
    with accounts.store.transaction() as connection:
        active = Blocks(accounts.store.keyring, "").find_active(connection, [NUMBER], accounts.clock.now())
        (logged,) = AuditLog(accounts.store.keyring).latest(connection, None, 10)
    assert [entry.kind for entry in active[NUMBER]] == [BlockKind.WRONG_PERSON]
    assert (logged.author, logged.action, logged.subject) == ("ann@desk", "lift", "+1415***2671")
    assert logged.reason == "clicked by mistake"


def test_what_else_the_flag_covered_stays_covered_and_raises_no_flag_again(accounts: Accounts, lift: Lift) -> None:
    accounts.crms["first"].put("people", "a", phone=NUMBER, mobile=OTHER, optout=True)
    accounts.crms["second"].put("people", "b", phone=NUMBER)
    accounts.crms["second"].put("people", "c", phone=OTHER)
    accounts.sync_all()

    lifted = lift()

    accounts.sync_all()
    row = accounts.crms["first"].rows["people"]["a"]
    assert lifted.covered == ["+1415***2672"]
    assert (row["optout"], row["rf_phone_status"], row["rf_mobile_status"]) == (False, "valid", "do_not_contact")
    assert accounts.said("second", "b") == (False, "valid")
    assert accounts.said("second", "c") == (True, "do_not_contact")
    assert (is_suppressed(accounts, NUMBER), is_suppressed(accounts, OTHER)) == (False, True)

    lift(OTHER)
    accounts.sync_all()
    assert accounts.crms["first"].rows["people"]["a"]["rf_mobile_status"] == "valid"
    assert accounts.said("second", "c") == (False, "valid")


def test_a_flag_stays_up_where_another_number_of_the_record_is_opted_out(accounts: Accounts, lift: Lift) -> None:
    first = accounts.crms["first"]
    first.put("people", "a", phone=NUMBER, mobile=OTHER, optout=True)
    first.put("people", "b", phone=OTHER, optout=True)
    first.put("people", "c", phone=NUMBER)
    accounts.sync("first")

    lifted = lift()

    accounts.sync("first")
    assert lifted.summaries[0].kept_up == [{"object": "people", "id": "a"}]
    assert (accounts.said("first", "a")[0], accounts.said("first", "c")) == (True, (False, "valid"))
    assert (is_suppressed(accounts, NUMBER), is_suppressed(accounts, OTHER)) == (False, True)
    first.put("people", "b", optout=False)
    summary = accounts.sync("first")
    assert [each.id for each in summary.stale_flags] == ["a"]


def test_a_record_that_the_crm_refuses_keeps_the_number_covered(accounts: Accounts, lift: Lift) -> None:
    spread_one_click(accounts)
    accounts.crms["first"].refuse = lambda _change: ("LOCKED", "the record is locked")

    lifted = lift()

    assert (lifted.refused_rows, lifted.summaries[0].refused[0].code, lifted.summaries[0].still_up) == (1, "LOCKED", 1)
    assert is_suppressed(accounts, NUMBER)


def test_an_account_that_is_away_keeps_all_as_it_was(
    accounts: Accounts, lift: Lift, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread_one_click(accounts)
    accounts.add(NUMBER)

    def away(*_: Any, **__: Any) -> Any:
        raise UnreachableError("second does not answer.")

    monkeypatch.setattr(accounts.crms["second"], "open_feed", away)

    lifted = lift()

    assert isinstance(lifted.error, UnreachableError)
    assert counts(lifted) == {"first": 0, "second": 0}
    assert is_suppressed(accounts, NUMBER)
    assert [run.outcome for run in list_runs(accounts.store, 2)] == ["stopped", "stopped"]


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_killed_anywhere_it_is_still_suppressed_and_run_again_it_ends(
    accounts: Accounts, lift: Lift, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    spread_one_click(accounts)
    accounts.add(NUMBER)
    left = [writes]

    def count_down() -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1

    with monkeypatch.context() as patch:
        for each in (*accounts.crms.values(), LedgerLift):
            name = "end" if each is LedgerLift else "write"
            patch.setattr(each, name, called_after(count_down, getattr(each, name)))
        with pytest.raises(KeyboardInterrupt):
            lift()
    assert is_suppressed(accounts, NUMBER)

    lift()

    accounts.sync_all()
    assert not is_suppressed(accounts, NUMBER)
    assert [accounts.said("first", "a"), *(accounts.said("second", each) for each in "bcd")] == [(False, "valid")] * 4


def called_after(before: Callable[[], None], call: Callable[..., Any]) -> Callable[..., Any]:
    def both(*words: Any) -> Any:
        before()
        return call(*words)

    return both


def test_taking_a_lift_back_raises_the_flags_as_they_were(accounts: Accounts, lift: Lift) -> None:
    spread_one_click(accounts)
    accounts.crms["second"].put("people", "b", mobile=THIRD)
    lifted = lift()

    for summary in lifted.summaries:
        run = find_run(accounts.store, summary.run_id)
        assert undo_run(accounts.job(summary.crm), run, dry_run=False).fields == summary.flags_lowered

    assert is_suppressed(accounts, NUMBER)
    accounts.sync_all()
    assert [accounts.said("first", "a"), *(accounts.said("second", each) for each in "bcd")] == [
        (True, "do_not_contact")
    ] * 4
    assert (is_suppressed(accounts, NUMBER), is_suppressed(accounts, THIRD)) == (True, False)
