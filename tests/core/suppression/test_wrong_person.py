"""A number that is somebody else's on one record: its slots say so, and nobody else hears of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.blocks import BlockKind, Entry, RecordName
from ringfence.core.numbers import Validity
from ringfence.core.runs.apply_plan import apply_plan
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.runs.undo import undo_run
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.run_history import find_run
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider
from testkit.two_accounts import Accounts

LINE, E164, OTHER, OTHER_E164 = "+1 415 555 0132", "+14155550132", "+1 415 555 0177", "+14155550177"
WRONG, FREE = (None, "wrong_person"), (None, "valid")

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.fixture
def accounts(store: Store, clock: SetClock) -> Accounts:
    """Give an account in which two records hold the line, and another one in which one does; both were synced."""
    made = Accounts(store, clock)
    for name in ("hub", "force"):
        made.open(name)
    made.crms["hub"].put("people", "p1", phone=LINE, mobile=OTHER)
    made.crms["hub"].put("people", "p2", phone=LINE)
    made.crms["force"].put("people", "p1", phone=LINE)
    made.sync_all()
    return made


def tell(accounts: Accounts, number: str = E164, account: str = "hub", id_: str = "p1", **words: Any) -> Entry:
    """Say that a number is somebody else's on a record."""
    record = RecordName(account, "people", id_)
    return accounts.add(number, kind=BlockKind.WRONG_PERSON, record=record, **words)


def row(accounts: Accounts, id_: str = "p1") -> dict[str, Any]:
    return dict(accounts.crms["hub"].rows["people"][id_])


def test_the_slots_of_that_record_say_so_and_nobody_else_hears_of_it(accounts: Accounts) -> None:
    tell(accounts)

    summaries = accounts.sync_all()

    assert accounts.said("hub", "p1") == WRONG
    assert row(accounts)["rf_phone_reason"].startswith("wrong_person: somebody said")
    assert row(accounts)["rf_phone_e164"] == E164
    assert row(accounts)["rf_mobile_status"] == "valid"
    assert accounts.said("hub", "p2") == accounts.said("force", "p1") == FREE
    assert {name: each.total("written") for name, each in summaries.items()} == {"hub": 1, "force": 0}
    assert summaries["hub"].total("flags_raised") == 0
    assert {each.total("written") for each in accounts.sync_all().values()} == {0}
    assert {each.total("written") for each in accounts.sync_all(full=True).values()} == {0}


def test_the_number_is_not_bought_for_that_slot_and_may_be_for_others(
    accounts: Accounts, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    tell(accounts)
    tell(accounts, OTHER_E164)

    accounts.sync("hub", rescreen=True, lookups=[provider])

    assert provider.asked == [E164]  # for p2
    assert {row(accounts)[f"rf_{slot}_status"] for slot in ("phone", "mobile")} == {"wrong_person"}


def test_a_record_outside_the_filter_is_reached(accounts: Accounts) -> None:
    hub = accounts.crms["hub"]
    hub.put("people", "p1", in_scope=False)
    accounts.sync("hub")
    tell(accounts)

    accounts.sync("hub")

    assert accounts.said("hub", "p1") == WRONG


@pytest.mark.parametrize("number", [E164, OTHER_E164])
def test_an_opt_out_wins_and_what_was_said_stands_once_that_has_ended(accounts: Accounts, number: str) -> None:
    tell(accounts, number)
    opt_out = accounts.add(E164)
    accounts.sync("hub")
    silenced = accounts.said("hub", "p1")
    accounts.lift(opt_out)
    accounts.crms["hub"].put("people", "p1", optout=False)

    accounts.sync("hub")

    assert silenced == (True, "do_not_contact")
    expected = ("wrong_person", "valid") if number == E164 else ("valid", "wrong_person")
    assert (row(accounts)["rf_phone_status"], row(accounts)["rf_mobile_status"]) == expected


@pytest.mark.parametrize("end", ["lifted", "expired", "corrected"])
def test_it_ends_by_lift_expiry_or_another_number(accounts: Accounts, end: str) -> None:
    entry = tell(accounts, days=1)
    accounts.sync_all()
    assert accounts.said("hub", "p1") == WRONG

    if end == "lifted":
        accounts.lift(entry)
    elif end == "expired":
        accounts.clock.advance(days=2)
    else:
        accounts.crms["hub"].put("people", "p1", phone="+1 415 555 0199")
    accounts.sync_all()

    assert accounts.said("hub", "p1") == FREE
    assert accounts.sync("hub").total("written") == 0
    tell(accounts, "+14155550199" if end == "corrected" else E164)
    accounts.sync("hub")
    assert accounts.said("hub", "p1") == WRONG


def test_the_slot_goes_on_saying_so_where_the_state_is_lost(accounts: Accounts, store: Store) -> None:
    tell(accounts)
    accounts.sync("hub")
    with store.transaction() as connection:
        for table in ("blocks", "covered_elsewhere", "holdings", "cursors", "pending"):
            connection.exec_driver_sql(f"DELETE FROM {table}")

    again = accounts.sync("hub", full=True)
    accounts.sync("hub", rescreen=True)

    assert again.total("written") == 0
    assert accounts.said("hub", "p1") == WRONG
    accounts.crms["hub"].put("people", "p1", phone="(415) 555-0132")
    accounts.sync("hub")
    assert accounts.said("hub", "p1") == WRONG
    accounts.crms["hub"].put("people", "p1", phone="+1 415 555 0199")
    accounts.sync("hub")
    assert accounts.said("hub", "p1") == FREE


def test_a_dry_run_shows_it_and_an_undo_does_not_free_it_while_it_stands(accounts: Accounts, store: Store) -> None:
    entry = tell(accounts)

    dry = accounts.sync("hub", dry_run=True)
    live = accounts.sync("hub")
    undone = undo_run(accounts.job("hub"), find_run(store, live.run_id), dry_run=False)
    still = accounts.said("hub", "p1")
    accounts.lift(entry)
    taken_back = undo_run(accounts.job("hub"), find_run(store, live.run_id), dry_run=False)

    assert dry.total("written") == live.total("written") == 1
    assert undone.fields == 0
    assert set(undone.kept) == {"the number is somebody else's"}
    assert still == WRONG
    assert taken_back.records == 1
    assert accounts.said("hub", "p1") == FREE


def test_an_account_that_is_called_otherwise_by_now_keeps_it(accounts: Accounts) -> None:
    tell(accounts)
    job = replace(accounts.job("hub"), account="acme")

    run_sync(job, SyncOptions())

    assert accounts.said("hub", "p1") == WRONG


def test_a_run_that_only_silences_says_it_too(accounts: Accounts, make_provider: MakeProvider) -> None:
    tell(accounts)
    for number in range(60):
        accounts.crms["hub"].put("people", f"n{number}", phone=f"+1 415 555 02{number:02}", rf_phone_status="valid")
    dead = {"kind": AnswerKind.KNOWN, "validity": Validity.INVALID}
    provider = make_provider(says={f"+141555502{number:02}": dead for number in range(60)})

    summary = accounts.sync("hub", lookups=[provider])

    assert summary.stopped
    assert accounts.said("hub", "p1") == WRONG


def test_a_plan_leaves_out_what_was_said_or_taken_back_since(accounts: Accounts, tmp_path: Path) -> None:
    accounts.crms["hub"].put("people", "p3", phone=LINE)
    said = tell(accounts)
    plan = tmp_path / "plan.json"
    accounts.sync("hub", dry_run=True, plan_file=plan)
    accounts.lift(said)
    tell(accounts, id_="p3")

    applied = apply_plan(accounts.job("hub"), plan)

    assert (applied.total("written"), applied.total("conflicts")) == (0, 2)
    assert accounts.said("hub", "p1") == FREE
    assert accounts.said("hub", "p3") == (None, None)


def test_no_entry_costs_one_question_a_run(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(accounts, account="somebody else's")
    asked: list[int] = []
    monkeypatch.setattr(Blocks, "list_wrong_persons", lambda *_: asked.append(1))

    accounts.sync("hub", full=True)

    assert not asked
