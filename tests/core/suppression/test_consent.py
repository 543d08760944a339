"""Consent that was withdrawn on a record is an opt-out of its own: it reaches every holder; only giving lifts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.state.store import Store
from ringfence.core.suppression.question import ask_ledger
from testkit.clock import SetClock
from testkit.memory_runs import PEOPLE, MakeProvider, Sync, make_crm

LINE, MOBILE = "+1 415 555 0132", "+1 415 555 0190"
CONSENT = "    consent: {field: consent, given: [yes], withdrawn: [no], purposes: [marketing]}\n"
TOLD = "opted_out: consent was withdrawn on this record"

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    """Somebody who shares one of two numbers with a colleague, and has consented."""
    crm = make_crm(clock, PEOPLE + CONSENT)
    crm.put("people", "asks", phone=LINE, mobile=MOBILE, consent="Yes")
    crm.put("people", "other", phone=LINE)
    crm.put("people", "silent", phone="+1 415 555 0177", consent="perhaps")
    return crm


def status(crm: MemoryCrm, id_: str) -> tuple[object, object]:
    row = crm.rows["people"][id_]
    return row.get("optout"), row.get("rf_phone_status")


def reason(crm: MemoryCrm, id_: str) -> str:
    return str(crm.rows["people"][id_]["rf_phone_reason"])


def test_a_withdrawal_silences_the_record_and_reaches_every_holder(
    crm: MemoryCrm, sync: Sync, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    crm.put("people", "asks", consent="No")

    sync(lookups=[provider])

    assert [status(crm, each) for each in ("asks", "other")] == [(True, "do_not_contact")] * 2
    assert reason(crm, "asks").startswith(TOLD)
    assert status(crm, "silent") == (None, "active")
    assert set(provider.asked) == {"+14155550177"}
    assert crm.rows["people"]["asks"]["consent"] == "No"
    assert sync().total("written") == 0


def test_one_that_comes_after_a_sync_is_found_by_the_next(crm: MemoryCrm, sync: Sync) -> None:
    sync()
    crm.put("people", "asks", consent="No")

    sync()

    assert [status(crm, each) for each in ("asks", "other")] == [(True, "do_not_contact")] * 2
    assert sync().total("written") == 0


def test_giving_consent_again_ends_it_and_the_flags_that_are_left_are_named(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "asks", consent="No")
    sync()
    crm.put("people", "asks", consent="Yes")

    left = sync()
    for id_ in ("asks", "other"):
        crm.put("people", id_, optout=False)
    after = sync()

    assert {each.id for each in left.stale_flags} == {"asks", "other"}
    assert [status(crm, each) for each in ("asks", "other")] == [(False, "valid")] * 2
    assert after.stale_flags_total == 0


@pytest.mark.parametrize("emptied", [None, "", "perhaps"])
def test_an_emptied_or_unknown_value_lifts_nothing(crm: MemoryCrm, sync: Sync, emptied: str | None) -> None:
    crm.put("people", "asks", consent="No")
    sync()
    for id_ in ("asks", "other"):
        crm.put("people", id_, optout=False)
    crm.put("people", "asks", consent=emptied)

    sync()

    assert [status(crm, each)[1] for each in ("asks", "other")] == ["do_not_contact"] * 2


def test_a_flag_that_was_up_before_does_not_hide_a_withdrawal(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "other", optout=True)
    sync()
    assert status(crm, "asks") == (True, "do_not_contact")
    crm.put("people", "third", phone=MOBILE)
    crm.put("people", "asks", consent="No")

    sync()

    assert status(crm, "third") == (True, "do_not_contact")


def test_without_a_flag_in_the_mapping_the_slots_say_it_until_consent_is_given(crm: MemoryCrm, sync: Sync) -> None:
    crm.shapes = {"people": replace(crm.shapes["people"], opt_outs=())}
    crm.put("people", "asks", consent="No", phone="call the desk")

    sync()
    silenced = status(crm, "asks")
    crm.put("people", "asks", consent="Yes")
    sync()

    assert silenced == (None, "do_not_contact")
    assert status(crm, "asks") == (None, "invalid")


def test_with_the_state_lost_ringfences_own_flag_is_known_by_the_reason(
    crm: MemoryCrm, sync: Sync, store: Store
) -> None:
    crm.put("people", "asks", consent="No")
    sync()
    with store.transaction() as connection:
        for table in ("opt_out_flags", "holdings", "cursors", "pending", "lookup_answers"):
            connection.exec_driver_sql(f"DELETE FROM {table}")

    sync()
    crm.put("people", "asks", consent="Yes")

    assert {each.id for each in sync().stale_flags} == {"asks", "other"}


def test_a_record_that_is_gone_lifts_nothing(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "asks", consent="No")
    sync()
    del crm.rows["people"]["asks"]
    crm.put("people", "new", phone=LINE)

    sync(full=True)

    assert status(crm, "new") == (True, "do_not_contact")


def test_a_shared_line_of_many_raises_the_flag_of_the_one_who_withdrew(crm: MemoryCrm, sync: Sync) -> None:
    for place in range(5):
        crm.put("people", f"c{place}", phone=LINE)
    crm.put("people", "asks", consent="No")

    sync()

    assert status(crm, "asks") == (True, "do_not_contact")
    assert status(crm, "c0") == (None, "do_not_contact")


def consenting(store: Store, clock: SetClock, purpose: str, *numbers: str) -> set[str]:
    plain = [each.replace(" ", "") for each in numbers]
    return ask_ledger(store, "", clock, sandbox=False).find_consenting(plain, purpose)


def test_a_number_by_itself_is_covered_by_the_consent_of_a_record_that_holds_it(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock
) -> None:
    crm.put("people", "other", phone="+1 415 555 0144")
    sync()

    assert consenting(store, clock, "Marketing", LINE, MOBILE, "+1 415 555 0144", "+1 415 555 0177") == {
        *("+14155550132", "+14155550190"),
    }
    assert consenting(store, clock, "service", LINE) == set()


@pytest.mark.parametrize("changed", [{"consent": "No"}, {"consent": None}, {"phone": "+1 415 555 0144"}, None])
def test_consent_that_ended_covers_the_number_no_more(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock, changed: dict[str, str | None] | None
) -> None:
    sync()
    if changed is None:
        del crm.rows["people"]["asks"]
    else:
        crm.put("people", "asks", **changed)

    sync(full=changed is None)

    assert consenting(store, clock, "marketing", LINE) == set()


def test_consent_counts_from_its_day_on(sync: Sync, crm: MemoryCrm, store: Store, clock: SetClock) -> None:
    shape = crm.shapes["people"]
    assert shape.consent is not None
    crm.shapes = {"people": replace(shape, consent=replace(shape.consent, at="since"))}
    crm.put("people", "asks", since=(clock.now() + timedelta(days=2)).date().isoformat())
    sync()
    before = consenting(store, clock, "marketing", LINE)

    clock.advance(seconds=3 * 86400)

    assert before == set()
    assert consenting(store, clock, "marketing", LINE) == {"+14155550132"}


def test_another_mapping_of_consent_is_read_for_every_record(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock
) -> None:
    sync()
    shape = crm.shapes["people"]
    assert shape.consent is not None
    crm.shapes = {"people": replace(shape, consent=replace(shape.consent, purposes=("service",)))}
    sync()
    other_purpose = consenting(store, clock, "service", LINE), consenting(store, clock, "marketing", LINE)

    crm.shapes = {"people": replace(shape, consent=None)}
    sync()

    assert other_purpose == ({"+14155550132"}, set())
    assert consenting(store, clock, "service", LINE) == set()
