"""An opt-out in one account silences the number in every account of the same ledger and kind, until it is lifted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringfence.connectors.memory.feed import MemoryFeed
from ringfence.core.errors import AccessError
from ringfence.core.model.blocks import BlockKind
from ringfence.core.ports.crm import Page
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider
from testkit.two_accounts import Accounts

LINE, E164, OTHER = "+1 415 555 0132", "+14155550132", "+1 415 555 0177"
SILENT, FREE = (True, "do_not_contact"), (None, "valid")

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.fixture
def accounts(store: Store, clock: SetClock) -> Accounts:
    """Give a hub in which one record holds the line, and a force in which three do; both were synced."""
    made = Accounts(store, clock)
    made.open("hub").put("people", "h1", phone=LINE)
    force = made.open("force")
    for id_ in ("f1", "f2", "f3"):
        force.put("people", id_, phone=LINE)
    force.put("people", "bystander", phone=OTHER)
    made.sync_all()
    return made


def said_by_force(accounts: Accounts) -> set[tuple[object, object]]:
    return {accounts.said("force", id_) for id_ in ("f1", "f2", "f3")}


def test_an_opt_out_in_one_account_reaches_fresh_records_of_the_other_in_its_next_sync(accounts: Accounts) -> None:
    accounts.crms["hub"].put("people", "h1", optout=True)
    accounts.sync("hub")

    summary = accounts.sync("force")

    assert accounts.said("hub", "h1") == SILENT
    assert said_by_force(accounts) == {SILENT}
    assert accounts.said("force", "bystander") == FREE
    assert summary.total("flags_raised") == 3
    assert accounts.sync("force").total("written") == accounts.sync("hub").total("written") == 0


def test_a_flag_cleared_on_a_sharer_goes_up_again_while_the_other_account_asks(accounts: Accounts) -> None:
    accounts.crms["hub"].put("people", "h1", optout=True)
    accounts.sync_all()
    accounts.crms["force"].put("people", "f2", optout=False)

    summary = accounts.sync("force")

    assert accounts.said("force", "f2") == SILENT
    assert summary.total("flags_raised") == 1


def test_cleared_at_its_source_it_stays_down_there_and_the_flags_elsewhere_are_named(accounts: Accounts) -> None:
    accounts.crms["hub"].put("people", "h1", optout=True)
    accounts.sync_all()
    accounts.crms["hub"].put("people", "h1", optout=False)

    accounts.sync("hub")
    stale = accounts.sync("force").to_json()["stale_flags"]

    assert accounts.said("hub", "h1") == (False, "valid")
    assert said_by_force(accounts) == {SILENT}
    assert {row["id"] for row in stale} == {"f1", "f2", "f3"}
    accounts.sync_all()
    assert accounts.said("hub", "h1") == (False, "valid")


def test_a_derived_flag_elsewhere_covers_nobody(accounts: Accounts) -> None:
    accounts.crms["force"].put("people", "f1", mobile=OTHER)
    accounts.crms["hub"].put("people", "friend", phone=OTHER)
    accounts.crms["hub"].put("people", "h1", optout=True)

    accounts.sync_all()
    accounts.sync_all()

    assert accounts.said("force", "f1") == SILENT
    assert accounts.said("hub", "friend") == accounts.said("force", "bystander") == FREE


def test_an_entry_silences_both_and_buys_nothing_until_it_is_lifted(
    accounts: Accounts, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    entry = accounts.add(E164, kind=BlockKind.COMPLAINT)

    accounts.sync_all(rescreen=True, lookups=[provider])

    assert {accounts.said("hub", "h1"), *said_by_force(accounts)} == {SILENT}
    assert E164 not in provider.asked

    accounts.lift(entry)
    stale = accounts.sync("force").to_json()["stale_flags"]

    assert {row["id"] for row in stale} == {"f1", "f2", "f3"}
    accounts.crms["force"].put("people", "f1", optout=False)
    accounts.sync("force")
    assert accounts.said("force", "f1") == (False, "valid")


@pytest.mark.parametrize("end", ["lifted", "expired"])
def test_slots_without_a_flag_are_callable_again_once_an_entry_has_ended(accounts: Accounts, end: str) -> None:
    accounts.crms["force"].put("people", "f4", phone=LINE)
    entry = accounts.add(E164, days=1)
    accounts.sync_all()
    silenced = accounts.said("force", "f4"), accounts.said("force", "f1")

    if end == "lifted":
        accounts.lift(entry)
    else:
        accounts.clock.advance(days=2)
    accounts.sync_all()

    assert silenced == ((None, "do_not_contact"), (None, "do_not_contact"))  # a switchboard: four hold it
    assert {*said_by_force(accounts), accounts.said("force", "f4")} == {FREE}


def test_what_one_source_lifts_another_keeps(accounts: Accounts) -> None:
    accounts.crms["hub"].put("people", "h1", optout=True)
    entry = accounts.add(E164)
    accounts.sync_all()

    accounts.crms["hub"].put("people", "h1", optout=False)
    accounts.sync_all()

    assert accounts.said("hub", "h1") == SILENT  # the entry asks for silence there too
    accounts.lift(entry)
    accounts.sync_all()
    accounts.crms["hub"].put("people", "h1", optout=False)
    accounts.sync_all()
    assert accounts.said("hub", "h1") == (False, "valid")


@pytest.mark.parametrize(("production", "ledger"), [(True, ""), (False, "client")])
def test_another_kind_of_account_and_another_ledger_are_strangers(
    accounts: Accounts, production: bool, ledger: str
) -> None:
    accounts.open("other", production=production, ledger=ledger).put("people", "o1", phone=LINE, optout=True)

    accounts.sync("other")
    accounts.sync("force")

    assert said_by_force(accounts) == {FREE}


def test_a_reason_names_what_silences_and_how_it_is_lifted_and_follows_it(accounts: Accounts) -> None:
    accounts.crms["force"].put("people", "f3", phone=OTHER, mobile=LINE)
    accounts.crms["hub"].put("people", "h1", optout=True)
    accounts.sync_all()
    row = accounts.crms["force"].rows["people"]["f3"]
    by_hub = row["rf_phone_reason"], row["rf_mobile_reason"]

    accounts.add(E164, kind=BlockKind.COMPLAINT)
    accounts.crms["hub"].put("people", "h1", optout=False)
    accounts.sync_all(full=True)

    lift = "clear its flag there, or ringfence suppress lift"
    assert by_hub == (
        f"opted_out: a record in hub with +1415***0132 in mobile opted out: {lift}",
        f"opted_out: a record in hub with this number opted out: {lift}",
    )
    assert row["rf_mobile_reason"] == (
        "opted_out: this number is on ringfence's own list (complaint): ringfence suppress lift takes it off"
    )
    assert accounts.sync("force", full=True).total("written") == 0


def test_whose_a_flag_is_stays_known_when_the_state_is_lost(accounts: Accounts, store: Store) -> None:
    accounts.crms["force"].put("people", "f1", mobile=OTHER)
    accounts.crms["hub"].put("people", "h1", optout=True)
    accounts.sync_all()
    with store.transaction() as connection:
        for table in ("opt_out_flags", "covered_elsewhere", "holdings", "cursors", "pending"):
            connection.exec_driver_sql(f"DELETE FROM {table}")

    summaries = accounts.sync_all()

    assert {summary.total("written") for summary in summaries.values()} == {0}
    assert accounts.said("force", "bystander") == FREE


def test_an_account_that_moves_to_another_ledger_takes_its_opt_outs_with_it(accounts: Accounts) -> None:
    accounts.crms["force"].put("people", "f4", phone=LINE)
    accounts.crms["hub"].put("people", "h1", optout=True)
    accounts.sync_all()
    silenced = accounts.said("force", "f4")
    accounts.ledgers["hub"] = "client"

    accounts.sync_all()

    assert silenced == (None, "do_not_contact")
    assert {*said_by_force(accounts), accounts.said("force", "f4")} == {FREE}
    assert accounts.said("hub", "h1") == SILENT


def test_a_listing_silences_fresh_records_and_who_is_delisted_may_be_called_again(
    accounts: Accounts, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    for id_ in ("f4", "f5"):
        accounts.crms["force"].put("people", id_, phone=LINE)
    accounts.sync_all()
    accounts.import_list(E164)

    first = accounts.sync_all(rescreen=True, lookups=[provider])
    silenced = accounts.said("hub", "h1"), *said_by_force(accounts)
    why = accounts.crms["hub"].rows["people"]["h1"]["rf_phone_reason"]
    unchanged = accounts.sync_all()
    accounts.import_list("+14155550199")
    freed = accounts.sync_all()

    assert silenced == (SILENT, (None, "do_not_contact"))  # five hold it in the force: a switchboard
    assert why == "opted_out: this number is listed in us-dnc: it ends once a newer list leaves it out"
    assert E164 not in provider.asked
    assert first["hub"].total("flags_raised") == 1
    assert {summary.total("written") for summary in unchanged.values()} == {0}
    assert said_by_force(accounts) == {FREE}
    assert [row["id"] for row in freed["hub"].to_json()["stale_flags"]] == ["h1"]
    assert accounts.said("hub", "h1") == SILENT


def test_what_is_known_is_enforced_where_the_flags_of_the_account_itself_cannot_be_read(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    accounts.crms["force"].put("people", "new", phone="+1 415 555 0188")
    accounts.crms["hub"].put("people", "h1", optout=True)
    accounts.sync("hub")

    def refuse(_feed: MemoryFeed) -> Iterator[Page]:
        raise AccessError("The field optout may not be read.")
        yield

    with monkeypatch.context() as refusing:
        refusing.setattr(MemoryFeed, "flagged", refuse)
        with pytest.raises(AccessError):
            accounts.sync("force", lookups=[provider])

    assert said_by_force(accounts) == {SILENT}
    assert accounts.said("force", "new") == (None, None)
    assert provider.asked == []
    accounts.sync("force")
    assert accounts.said("force", "new") == FREE


def test_a_dry_run_shows_the_same_and_moves_nothing(accounts: Accounts) -> None:
    accounts.add(E164)

    planned = accounts.sync("force", dry_run=True)
    again = accounts.sync("force", dry_run=True)

    assert planned.total("flags_raised") == again.total("flags_raised") == 3
    assert said_by_force(accounts) == {FREE}
    assert accounts.sync("force").total("flags_raised") == 3
