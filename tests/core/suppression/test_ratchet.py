"""With ``opt_out_policy: ratchet`` a flag that is cleared by hand goes up again, and a person is asked once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.blocks import Channel
from ringfence.core.model.review_items import Resolution, ReviewItem
from ringfence.core.model.shapes import OptOutFlag
from ringfence.core.runs.lift import LiftOrder, run_lift
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import Sync
from testkit.two_accounts import Accounts

LINE, E164 = "+1 415 555 0132", "+14155550132"
SILENT = (True, "do_not_contact")

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.fixture
def people(crm: MemoryCrm, sync: Sync) -> MemoryCrm:
    """Give one who opted out and one on the same line, both silenced, under the policy."""
    crm.shapes = {"people": replace(crm.shapes["people"], ratchet=True)}
    crm.put("people", "asks", phone=LINE, optout=True)
    crm.put("people", "sharer", phone=LINE)
    sync()
    return crm


def said(crm: MemoryCrm, id_: str) -> tuple[object, object]:
    row = crm.rows["people"][id_]
    return row.get("optout"), row.get("rf_phone_status")


def waiting(store: Store) -> list[ReviewItem]:
    with store.transaction() as connection:
        return ReviewQueue(store.keyring, "").list_open(connection)


def test_a_flag_cleared_by_hand_goes_up_again_and_waits_for_a_person(
    people: MemoryCrm, sync: Sync, store: Store
) -> None:
    people.put("people", "asks", optout=False)

    summary = sync()

    assert (said(people, "asks"), said(people, "sharer")) == (SILENT, SILENT)
    assert summary.total("flags_raised") == 1
    (item,) = waiting(store)
    assert (item.record_id, item.number) == ("asks", E164)
    assert "review" in str(people.rows["people"]["asks"]["rf_phone_reason"])
    assert sync(full=True).total("written") == 0
    assert len(waiting(store)) == 1


def test_the_flag_that_went_up_again_is_still_that_of_the_person_who_asked(
    people: MemoryCrm, sync: Sync, store: Store
) -> None:
    people.put("people", "asks", optout=False)
    sync()
    people.put("people", "late", phone=LINE)

    sync()

    assert said(people, "late") == SILENT
    assert sync().to_json()["stale_flags"] == []


def test_a_decision_is_not_asked_for_again_until_the_flag_is_cleared_again(
    people: MemoryCrm, sync: Sync, store: Store, clock: SetClock
) -> None:
    people.put("people", "asks", optout=False)
    sync()
    with store.transaction() as connection:
        ids = [item.id for item in waiting(store)]
        ReviewQueue(store.keyring, "").resolve(connection, ids, Resolution.DISMISS, "ann@desk", clock.now())
    sync(full=True)
    assert waiting(store) == []

    people.put("people", "asks", optout=False)
    sync()

    assert len(waiting(store)) == 1
    assert said(people, "asks") == SILENT


def test_a_dry_run_asks_nobody(people: MemoryCrm, sync: Sync, store: Store) -> None:
    people.put("people", "asks", optout=False)

    summary = sync(dry_run=True)

    assert summary.total("flags_raised") == 1
    assert waiting(store) == []
    assert said(people, "asks") == (False, "do_not_contact")


def test_a_derived_flag_that_nobody_asks_for_any_more_may_be_cleared(people: MemoryCrm, sync: Sync) -> None:
    people.shapes = {"people": replace(people.shapes["people"], ratchet=False)}
    people.put("people", "asks", optout=False)
    sync()
    people.shapes = {"people": replace(people.shapes["people"], ratchet=True)}
    people.put("people", "sharer", optout=False)

    sync()

    assert said(people, "sharer") == (False, "valid")


def test_with_the_state_lost_a_cleared_flag_goes_up_again_too(people: MemoryCrm, sync: Sync, store: Store) -> None:
    people.put("people", "asks", optout=False)
    with store.transaction() as connection:
        for table in ("opt_out_flags", "holdings", "cursors", "pending", "lookup_answers"):
            connection.exec_driver_sql(f"DELETE FROM {table}")

    sync()

    assert said(people, "asks") == SILENT
    assert len(waiting(store)) == 1


def test_what_a_person_lifts_stays_down_and_nobody_is_asked(store: Store, clock: SetClock) -> None:
    accounts = Accounts(store, clock)
    hub = accounts.open("hub")
    hub.shapes = {"people": replace(hub.shapes["people"], ratchet=True)}
    hub.put("people", "asks", phone=LINE, optout=True)
    accounts.sync("hub")

    order = LiftOrder((E164,), "", "ann@desk", "a mistake", [accounts.job("hub")])
    run_lift(order, store, clock, dry_run=False)
    accounts.sync("hub")

    assert said(hub, "asks") == (False, "valid")
    assert waiting(store) == []


def test_what_was_asked_for_messages_alone_is_kept_up_for_messages_alone(
    crm: MemoryCrm, sync: Sync, store: Store
) -> None:
    flags = (OptOutFlag("optout", (True,)), OptOutFlag("no_texts", (True,), channel=Channel.SMS))
    crm.shapes = {"people": replace(crm.shapes["people"], opt_outs=flags, ratchet=True)}
    crm.fields["people"].add("no_texts")
    crm.put("people", "asks", phone=LINE, no_texts=True)
    crm.put("people", "sharer", phone=LINE)
    sync()
    crm.put("people", "asks", no_texts=False)

    sync()
    sync(full=True)

    row = crm.rows["people"]["asks"]
    assert (row.get("optout"), row.get("no_texts"), row.get("rf_phone_status")) == (None, True, "valid")
    assert said(crm, "sharer") == (True, "valid")
    assert [item.channel for item in waiting(store)] == [Channel.SMS]
    assert sync().total("written") == 0
