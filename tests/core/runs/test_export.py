"""Exports of the CRM in memory: every filled slot on one list or left out by a reason, checked at that very moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.connectors.memory.feed import MemoryFeed
from ringfence.core.decisions.exports import ExportList
from ringfence.core.errors import Terminated
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry, RecordName
from ringfence.core.ports.crm import Page
from ringfence.core.runs.export import AccountExport, ExportJob
from ringfence.core.runs.export_spool import ExportRow, Spool
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.store import Store
from ringfence.core.suppression.question import SuppressionQuestion
from testkit.clock import SetClock
from testkit.memory_runs import PEOPLE, Sync, make_crm

ANN, BOB, CARL, DEAD = "+1 415 555 0132", "+44 20 7946 0018", "+1 415 555 0133", "12"
pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)

TWO_FLAGS = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: [{field: optout}, {field: notexts, channel: sms}]
    region: {field: country, default: US}
"""

Export = Callable[..., tuple[list[ExportRow], AccountExport]]


@pytest.fixture
def crm(clock: SetClock, request: pytest.FixtureRequest) -> MemoryCrm:
    """Give a CRM under the mapping that a test names."""
    return make_crm(clock, getattr(request, "param", PEOPLE))


@pytest.fixture
def export(crm: MemoryCrm, store: Store, clock: SetClock, tmp_path: Path) -> Export:
    """Give a way to export, and let every filled slot be on the list or left out by a reason."""

    folder = tmp_path / "lists"
    folder.mkdir()

    def run(
        wanted: str = "callable", channel: Channel = Channel.VOICE, before_second_look: Callable[[], None] | None = None
    ) -> tuple[list[ExportRow], AccountExport]:
        org = crm.identify()
        question = SuppressionQuestion(store, "", clock, production=org.production)
        asked = ExportList(wanted), channel
        done = AccountExport(ExportJob(crm, org, crm.shapes, store, clock, "memory", question, {}, *asked))
        with Spool(folder) as spool:
            done.read(spool)
            if before_second_look:
                before_second_look()
            rows = [row for page in spool.pages() for row in done.check_again(page)]
        filled = sum(bool(row.get(slot)) for row in crm.rows["people"].values() for slot in ("phone", "mobile"))
        assert len(rows) + done.left_out.total() == filled
        assert list(folder.iterdir()) == []
        return rows, done

    return run


@pytest.fixture(autouse=True)
def _people(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "ann", phone=ANN)
    crm.put("people", "bob", phone=BOB, mobile=CARL)
    crm.put("people", "dead", phone=DEAD)
    sync()


def block(store: Store, clock: SetClock, number: str, channel: Channel = Channel.ALL) -> None:
    entry = NewEntry(number, BlockKind.DNC_INTERNAL, channel, BlockSource.PERSON, "asked", "ann@desk", clock.now())
    with store.transaction() as connection:
        Blocks(store.keyring, "").add(connection, entry)


def ids(rows: list[ExportRow]) -> list[str]:
    return [f"{row.id}.{row.slot}" for row in rows]


def test_each_slot_is_on_the_list_of_its_verdict(crm: MemoryCrm, export: Export) -> None:
    crm.put("people", "new", phone="+1 415 555 0144")
    crm.put("people", "bob", phone="+1 415 555 0155")

    rows, done = export()

    assert ids(rows) == ["ann.phone", "bob.mobile"]
    assert (rows[0].number, rows[0].status) == ("+14155550132", "valid")
    assert done.left_out == {"invalid": 1, "not_screened": 1, "changed_since_screened": 1}
    assert ids(export("invalid")[0]) == ["dead.phone"]
    assert ids(export("suppressed")[0]) == []


def test_a_flag_raised_since_the_last_sync_silences_every_holder(crm: MemoryCrm, export: Export) -> None:
    crm.put("people", "zed", mobile=ANN, optout=True)

    assert ids(export()[0]) == ["bob.phone", "bob.mobile"]
    suppressed, _ = export("suppressed")
    assert ids(suppressed) == ["ann.phone", "zed.mobile"]
    assert {row.status for row in suppressed} == {"do_not_contact"}


def test_a_persons_entry_holds_at_once_and_reaches_the_records_other_slots(
    store: Store, clock: SetClock, export: Export
) -> None:
    block(store, clock, "+442079460018")

    rows, done = export()

    assert ids(rows) == ["ann.phone"]
    assert done.left_out["suppressed"] == 2


def test_the_list_of_now_is_the_one_that_the_next_sync_leads_to(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock, export: Export
) -> None:
    crm.put("people", "carl", mobile=CARL)
    sync()
    block(store, clock, "+442079460018")
    crm.put("people", "ann", optout=True)

    before = {wanted: ids(export(wanted)[0]) for wanted in ExportList}
    sync()
    sync()

    assert {wanted: ids(export(wanted)[0]) for wanted in ExportList} == before
    assert before["callable"] == ["carl.mobile"]


def test_a_number_that_is_somebody_elses_is_off_that_record_alone(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock, export: Export
) -> None:
    crm.put("people", "carl", mobile=CARL)
    sync()
    said = (BlockKind.WRONG_PERSON, Channel.ALL, BlockSource.PERSON, "she said so", "ann@desk", clock.now())
    with store.transaction() as connection:
        Blocks(store.keyring, "").add(
            connection, NewEntry("+14155550133", *said, record=RecordName("memory", "people", "bob"))
        )

    assert ids(export()[0]) == ["ann.phone", "bob.phone", "carl.mobile"]
    invalid, _ = export("invalid")
    assert [(row.id, row.status) for row in invalid] == [("bob", "wrong_person"), ("dead", "invalid")]


def test_a_derived_flag_covers_nobody_elses_number(crm: MemoryCrm, sync: Sync, export: Export) -> None:
    crm.put("people", "bob", phone=ANN)
    crm.put("people", "carl", phone=CARL)
    crm.put("people", "ann", optout=True)
    sync()
    sync()

    assert crm.rows["people"]["bob"]["optout"] is True
    assert ids(export()[0]) == ["carl.phone"]


def test_what_opts_out_during_the_read_is_not_on_the_list(store: Store, clock: SetClock, export: Export) -> None:
    rows, done = export(before_second_look=lambda: block(store, clock, "+14155550132"))

    assert ids(rows) == ["bob.phone", "bob.mobile"]
    assert done.left_out["suppressed"] == 1


def test_a_flag_that_goes_up_behind_the_reading_is_heard(
    crm: MemoryCrm, clock: SetClock, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = MemoryFeed.changed

    def read(feed: MemoryFeed) -> Iterator[Page]:
        yield from changed(feed)
        clock.advance(seconds=1)
        crm.put("people", "ann", optout=True)

    monkeypatch.setattr(MemoryFeed, "changed", read)

    assert ids(export()[0]) == ["bob.phone", "bob.mobile"]


def test_a_switchboard_silences_the_slots_that_hold_it_alone(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock, export: Export
) -> None:
    for number in range(4):
        crm.put("people", f"desk{number}", phone="+1 415 555 0170", mobile=f"+1 415 555 018{number}")
    sync()
    block(store, clock, "+14155550170")

    rows, _ = export()

    assert [each for each in ids(rows) if each.startswith("desk")] == [f"desk{number}.mobile" for number in range(4)]


def test_a_block_of_calls_counts_for_calls_and_for_every_way(store: Store, clock: SetClock, export: Export) -> None:
    block(store, clock, "+14155550132", Channel.VOICE)

    assert ids(export()[0]) == ["bob.phone", "bob.mobile"]
    assert "ann.phone" not in ids(export(channel=Channel.ALL)[0])


@pytest.mark.parametrize("crm", [TWO_FLAGS], indirect=True)
def test_who_opted_out_of_texts_alone_may_be_called(
    crm: MemoryCrm, store: Store, clock: SetClock, export: Export
) -> None:
    block(store, clock, "+14155550133", Channel.SMS)
    crm.put("people", "ann", notexts=True)

    assert ids(export()[0]) == ["ann.phone", "bob.phone", "bob.mobile"]
    assert ids(export(channel=Channel.SMS)[0]) == []


@pytest.mark.parametrize("crm", [TWO_FLAGS], indirect=True)
def test_flags_that_were_raised_for_texts_alone_silence_no_calls(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock, export: Export
) -> None:
    block(store, clock, "+14155550133", Channel.SMS)
    sync()

    texts, _ = export("suppressed", channel=Channel.SMS)

    assert (crm.rows["people"]["bob"]["notexts"], crm.rows["people"]["bob"]["optout"]) == (True, True)
    assert ids(export()[0]) == ["ann.phone", "bob.phone", "bob.mobile"]
    assert [(row.id, row.status) for row in texts] == [("bob", "valid"), ("bob", "valid")]
    assert "opted out of sms" in texts[0].reason


def test_an_export_that_is_asked_to_end_ends(crm: MemoryCrm, store: Store, clock: SetClock, tmp_path: Path) -> None:
    org, question = crm.identify(), SuppressionQuestion(store, "", clock, production=False)
    asked = ExportList.CALLABLE, Channel.VOICE
    job = ExportJob(crm, org, crm.shapes, store, clock, "memory", question, {}, *asked, must_end=lambda: True)

    with Spool(tmp_path) as spool, pytest.raises(Terminated):
        AccountExport(job).read(spool)


CONSENT = PEOPLE + "    consent: {field: consent, given: [yes], withdrawn: [no], purposes: [marketing]}\n"


@pytest.mark.parametrize("crm", [CONSENT], indirect=True)
def test_consent_withdrawn_since_the_last_sync_silences_every_holder(crm: MemoryCrm, export: Export) -> None:
    crm.put("people", "cara", phone=ANN, consent="No")

    rows, _ = export("callable")
    silent, _ = export("suppressed")

    assert {row.id for row in rows}.isdisjoint({"ann", "cara"})
    assert {row.id for row in silent} >= {"ann", "cara"}
