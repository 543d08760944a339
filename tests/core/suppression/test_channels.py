"""A block of messages alone leaves the status and is named in the reason; each block reaches the flags of its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.model.shapes import OptOutFlag
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Sync

LINE, E164, OTHER = "+1 415 555 0132", "+14155550132", "+1 415 555 0177"
OWN, ELSEWHERE = "opted out of sms by a flag of this record", "opted out of sms elsewhere"

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)

Add = Callable[[Channel], None]


@pytest.fixture
def people(crm: MemoryCrm) -> MemoryCrm:
    """Give three people on one line, with a flag for every way of contact and one for messages; and a stranger."""
    flags = (OptOutFlag("optout", (True,)), OptOutFlag("no_texts", (True,), channel=Channel.SMS))
    crm.shapes = {"people": replace(crm.shapes["people"], opt_outs=flags)}
    crm.fields["people"].add("no_texts")
    for id_ in ("asks", "p1", "p2"):
        crm.put("people", id_, phone=LINE)
    crm.put("people", "stranger", phone=OTHER)
    return crm


@pytest.fixture
def add(store: Store, clock: SetClock) -> Add:
    """Put the line on the suppression ledger for a channel."""

    def put(channel: Channel) -> None:
        new = NewEntry(E164, BlockKind.DNC_INTERNAL, channel, BlockSource.PERSON, "asked us", "ann@desk", clock.now())
        with store.transaction() as connection:
            Blocks(store.keyring, "").add(connection, new)

    return put


def said(crm: MemoryCrm, id_: str) -> tuple[object, object, object]:
    """Return a record's two flags, and the status of its phone."""
    row = crm.rows["people"][id_]
    return row.get("optout"), row.get("no_texts"), row.get("rf_phone_status")


def reason(crm: MemoryCrm, id_: str) -> str:
    return str(crm.rows["people"][id_].get("rf_phone_reason"))


def test_a_block_of_messages_leaves_the_status_and_is_named_in_the_reason(people: MemoryCrm, sync: Sync) -> None:
    sync()
    people.put("people", "asks", no_texts=True)

    sync()

    assert said(people, "asks") == (None, True, "valid")
    assert OWN in reason(people, "asks")
    assert {said(people, id_) for id_ in ("p1", "p2")} == {(True, True, "valid")}
    assert all(ELSEWHERE in reason(people, id_) for id_ in ("p1", "p2"))
    assert said(people, "stranger") == (None, None, "valid")
    assert "sms" not in reason(people, "stranger")
    assert sync().total("written") == sync(full=True).total("written") == 0


def test_the_flag_for_messages_may_be_looked_up_and_no_flag_of_it_silences_calls(
    people: MemoryCrm, sync: Sync, make_provider: MakeProvider
) -> None:
    provider = make_provider("one")
    people.put("people", "asks", no_texts=True)
    people.put("people", "stranger", optout=True)

    sync(lookups=[provider])

    assert provider.asked == [E164]
    assert said(people, "stranger") == (True, None, "do_not_contact")


def test_once_lifted_the_reason_says_nothing_of_it_and_the_flags_are_named(people: MemoryCrm, sync: Sync) -> None:
    people.put("people", "asks", no_texts=True)
    sync()
    people.put("people", "asks", no_texts=False)

    stale = sync().to_json()["stale_flags"]

    assert said(people, "asks") == (None, False, "valid")
    assert "sms" not in reason(people, "asks")
    assert {row["id"] for row in stale} == {"p1", "p2"}
    assert {said(people, id_) for id_ in ("p1", "p2")} == {(True, True, "valid")}
    assert sync().total("written") == 0


def test_a_block_of_every_way_reaches_every_flag_and_its_record_keeps_the_one_it_chose(
    people: MemoryCrm, sync: Sync
) -> None:
    sync()
    people.put("people", "asks", optout=True)

    sync()

    assert said(people, "asks") == (True, None, "do_not_contact")
    assert {said(people, id_) for id_ in ("p1", "p2")} == {(True, True, "do_not_contact")}
    people.put("people", "p1", no_texts=False)
    assert sync().total("flags_raised") == 1
    assert said(people, "p1") == (True, True, "do_not_contact")
    assert sync(full=True).total("written") == 0


def test_a_call_for_silence_on_top_of_one_for_messages_silences_the_sharers_too(people: MemoryCrm, sync: Sync) -> None:
    people.put("people", "asks", no_texts=True)
    sync()
    people.put("people", "p1", optout=False)
    people.put("people", "p2", no_texts=False, optout=False)
    people.put("people", "asks", optout=True)

    sync()

    assert said(people, "asks") == (True, True, "do_not_contact")
    assert {said(people, id_)[2] for id_ in ("p1", "p2")} == {"do_not_contact"}
    people.put("people", "asks", optout=False)
    sync()
    assert said(people, "asks") == (False, True, "valid")
    assert OWN in reason(people, "asks")


def test_with_the_state_lost_a_flag_raised_for_messages_silences_no_calls(
    people: MemoryCrm, sync: Sync, store: Store
) -> None:
    people.put("people", "asks", no_texts=True)
    sync()
    with store.transaction() as connection:
        for table in ("opt_out_flags", "holdings", "cursors", "pending", "lookup_answers", "covered_elsewhere"):
            connection.exec_driver_sql(f"DELETE FROM {table}")

    summary = sync()

    assert summary.total("written") == 0
    assert {said(people, id_) for id_ in ("p1", "p2")} == {(True, True, "valid")}
    people.put("people", "asks", no_texts=False)
    assert {row["id"] for row in sync().to_json()["stale_flags"]} == {"p1", "p2"}


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
def test_where_no_flag_is_mapped_for_its_way_a_block_counts_for_every_way(
    crm: MemoryCrm, sync: Sync, add: Add, channel: Channel
) -> None:
    crm.put("people", "p1", phone=LINE)
    sync()
    add(channel)

    sync()

    row = crm.rows["people"]["p1"]
    assert (row.get("optout"), row.get("rf_phone_status")) == (True, "do_not_contact")
    assert sync(full=True).total("written") == 0


def test_an_entry_for_messages_is_named_in_the_reason_of_a_fresh_slot(people: MemoryCrm, sync: Sync, add: Add) -> None:
    sync()
    add(Channel.SMS)

    sync()

    assert {said(people, id_) for id_ in ("asks", "p1", "p2")} == {(True, True, "valid")}
    assert all(ELSEWHERE in reason(people, id_) for id_ in ("asks", "p1", "p2"))
    assert sync(full=True).total("written") == 0


def test_a_voice_block_reaches_the_flags_for_calls_and_leaves_those_for_messages(
    people: MemoryCrm, sync: Sync, add: Add
) -> None:
    flags = (OptOutFlag("optout", (True,), channel=Channel.VOICE), OptOutFlag("no_texts", (True,), channel=Channel.SMS))
    people.shapes = {"people": replace(people.shapes["people"], opt_outs=flags)}
    sync()
    add(Channel.VOICE)

    sync()

    assert {said(people, id_) for id_ in ("asks", "p1", "p2")} == {(True, None, "do_not_contact")}
    assert sync(full=True).total("written") == 0
