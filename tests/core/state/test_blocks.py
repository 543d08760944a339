"""The entries of a suppression ledger: they block until they are lifted or expire, and none of them is ever changed."""

from __future__ import annotations

from datetime import timedelta

from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry, RecordName
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.store import Store
from testkit.clock import SetClock

NUMBER, OTHER = "+14155550132", "+14155550133"


def entry(clock: SetClock, number: str = NUMBER, days: int | None = None, **more: object) -> NewEntry:
    expires = clock.now() + timedelta(days=days) if days is not None else None
    return NewEntry(
        number, BlockKind.DNC_INTERNAL, Channel.ALL, BlockSource.PERSON, "asked on the phone", "ann@desk", clock.now(),
        expires,
    )._replace(**more)  # fmt: skip


def test_an_entry_blocks_its_number_on_its_ledger_alone(store: Store, clock: SetClock) -> None:
    ours, theirs = Blocks(store.keyring, ""), Blocks(store.keyring, "client")

    with store.transaction() as connection:
        ours.add(connection, entry(clock))
        found = ours.find_blocks(connection, [NUMBER, OTHER], clock.now())
        elsewhere = theirs.find_blocks(connection, [NUMBER], clock.now())

    assert [(block.kind, block.channel, block.source) for block in found[NUMBER]] == [
        (BlockKind.DNC_INTERNAL, Channel.ALL, BlockSource.PERSON)
    ]
    assert list(found) == [NUMBER]
    assert elsewhere == {}


def test_a_lifted_entry_stays_on_the_ledger_and_blocks_no_more(store: Store, clock: SetClock) -> None:
    blocks = Blocks(store.keyring, "")

    with store.transaction() as connection:
        added = blocks.add(connection, entry(clock))
        (lifting,) = blocks.lift(connection, [added], "a mistaken click", "ben@desk", clock.now())
        found = blocks.find_active(connection, [NUMBER], clock.now())
        history = blocks.history(connection, NUMBER)

    assert found == {}
    assert history == [added, lifting]
    assert (lifting.lifts, lifting.reason, lifting.author) == (added.id, "a mistaken click", "ben@desk")


def test_an_entry_ends_when_it_expires(store: Store, clock: SetClock) -> None:
    blocks = Blocks(store.keyring, "")

    with store.transaction() as connection:
        blocks.add(connection, entry(clock, days=1))
        before = blocks.find_blocks(connection, [NUMBER], clock.now() + timedelta(hours=23))
        after = blocks.find_blocks(connection, [NUMBER], clock.now() + timedelta(days=1))

    assert list(before) == [NUMBER]
    assert after == {}


def test_the_wrong_person_on_a_record_blocks_no_number(store: Store, clock: SetClock) -> None:
    blocks = Blocks(store.keyring, "")
    record = RecordName("salesforce", "Contact", "003A")

    with store.transaction() as connection:
        blocks.add(connection, entry(clock, kind=BlockKind.WRONG_PERSON, record=record))
        found = blocks.find_blocks(connection, [NUMBER], clock.now())
        (listed,) = blocks.list_active(connection, clock.now(), BlockKind.WRONG_PERSON)

    assert found == {}
    assert (listed.number, listed.record) == (NUMBER, record)
