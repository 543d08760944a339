"""Lists of registers in the store: put in whole, found by keyed hash, replaced in one moment."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select

from ringfence.core.errors import BusyError
from ringfence.core.model.blocks import Block, BlockKind, BlockSource, Channel
from ringfence.core.state import listings as listings_module
from ringfence.core.state import schema
from ringfence.core.state.key_spool import CHANGE_BYTES, KeySpool, encode_change
from ringfence.core.state.list_changes import Incoming, ListChange
from ringfence.core.state.list_imports import NewVersion, begin_import, find_current
from ringfence.core.state.listing_pages import KEY_BYTES, KeySet, Part, find_members
from ringfence.core.state.listings import ListInfo, Listings
from ringfence.core.state.store import Store
from testkit.clock import SetClock

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
EXPIRES = AS_OF + timedelta(days=31, hours=23, minutes=59, seconds=59)
NUMBERS = [f"+1415{number:07d}" for number in range(2_000_000, 2_000_600)]

NEW = NewVersion("us", "US", Channel.VOICE, AS_OF, EXPIRES, "0" * 64, "ada@host")

Put = Callable[..., ListChange]


def untold(*_: object) -> None:
    """Nobody asks."""


@pytest.fixture
def put(store: Store, clock: SetClock) -> Put:
    """Give a way to put a version of a list into the store: a full one, or changes by number."""

    def put_(
        numbers: Collection[str] = (),
        *,
        changes: dict[str, bool] | None = None,
        name: str = "us",
        ledger: str = "",
        most: int = 1 << 20,
        also: Callable[[Connection, ListChange], None] = untold,
    ) -> ListChange:
        with KeySpool(KEY_BYTES if changes is None else CHANGE_BYTES, most) as spool:
            keys = store.keyring.number_keys(number.encode() for number in changes or numbers)
            if changes is None:
                spool.add(key[:KEY_BYTES] for key in keys)
            else:
                spool.add(encode_change(key, 1, on) for key, on in zip(keys, changes.values(), strict=True))

            incoming = Incoming(spool, {"14"}, delta=changes is not None)
            base = find_current(store, ledger, name)
            with begin_import(store, ledger, NEW._replace(name=name), clock) as version:
                return version.complete(incoming, base, untold, also)

    return put_


@pytest.fixture
def find(store: Store) -> Callable[..., dict[str, list[Block]]]:
    """Ask the lists of a ledger about numbers."""

    def ask(numbers: Collection[str], ledger: str = "") -> dict[str, list[Block]]:
        with store.transaction() as connection:
            return Listings(store.keyring, ledger).find(connection, numbers)

    return ask


def read(store: Store) -> list[ListInfo]:
    with store.transaction() as connection:
        return Listings(store.keyring, "").current(connection)


def count_pages(store: Store) -> dict[int, int]:
    pages = schema.list_pages
    with store.transaction() as connection:
        rows = connection.execute(select(pages.c.version_id, func.count()).group_by(pages.c.version_id))
        return {row[0]: row[1] for row in rows}


def test_finds_who_is_on_a_list_and_nobody_else(put: Put, find: Callable[..., dict[str, list[Block]]]) -> None:
    counts = put(NUMBERS)

    found = find([*NUMBERS, "+14155550199", "+442079460000"])

    assert counts == ListChange(added=600, numbers=600)
    assert set(found) == set(NUMBERS)
    expected = Block(BlockKind.DNC_REGISTRY, Channel.VOICE, BlockSource.REGISTRY, "us", AS_OF, EXPIRES)
    assert found[NUMBERS[0]] == [expected]
    assert find(NUMBERS[:1], ledger="client") == {}


def test_keys_that_do_not_fit_into_memory_lie_in_a_file(put: Put, find: Callable[..., dict[str, list[Block]]]) -> None:
    counts = put([*NUMBERS, *NUMBERS[:5]], most=100)

    assert counts == ListChange(added=600, numbers=600)
    assert len(find(NUMBERS)) == 600


def test_a_new_version_replaces_the_one_before(
    store: Store, put: Put, find: Callable[..., dict[str, list[Block]]]
) -> None:
    put(NUMBERS[:400])

    counts = put(NUMBERS[100:])

    assert counts == ListChange(added=200, removed=100, numbers=500)
    assert set(find(NUMBERS)) == set(NUMBERS[100:])
    (info,) = read(store)
    assert info.numbers == 500
    assert set(count_pages(store)) == {info.version_id}  # nothing is left of the one before


def test_changes_are_put_on_top_of_the_version_that_counts(
    put: Put, find: Callable[..., dict[str, list[Block]]]
) -> None:
    put(NUMBERS[:10])

    counts = put(changes={NUMBERS[0]: False, NUMBERS[1]: True, NUMBERS[10]: True, NUMBERS[11]: False})

    assert counts == ListChange(added=1, removed=1, numbers=10)
    assert set(find(NUMBERS)) == set(NUMBERS[1:11])


def test_tells_whom_later_versions_have_touched(store: Store, put: Put) -> None:
    keys = {number: store.keyring.number_key(number) for number in NUMBERS[:20]}
    listings = Listings(store.keyring, "")
    put(NUMBERS[:10])
    put(NUMBERS[1:12])

    with store.transaction() as connection:
        position = listings.position(connection)
        second = listings.find_changed(connection, keys.values(), position - 1)
        nothing = listings.find_changed(connection, keys.values(), position)
        unknown = listings.find_changed(connection, keys.values(), 0)

    assert second == {keys[NUMBERS[0]], keys[NUMBERS[10]], keys[NUMBERS[11]]}
    assert nothing == set()
    assert unknown == set(keys.values())  # the content of the first version is no longer there to be compared


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_whoever_came_onto_a_version_that_is_replaced_while_it_is_read_is_not_missed(
    store: Store, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = set(store.keyring.number_keys(number.encode() for number in NUMBERS[:20]))
    put(NUMBERS[:10])

    def replace_before(connection: Connection, within: Collection[bytes], of: KeySet) -> set[bytes]:
        monkeypatch.undo()
        put(NUMBERS[:11])
        return find_members(connection, within, of)

    monkeypatch.setattr(listings_module, "find_members", replace_before)
    with store.transaction() as connection:
        changed = Listings(store.keyring, "").find_changed(connection, keys, 0)

    assert changed == keys


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_an_import_that_fails_at_the_last_moment_leaves_nothing(
    store: Store, put: Put, find: Callable[..., dict[str, list[Block]]]
) -> None:
    put(NUMBERS[:10])

    def fail(*_: object) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        put(NUMBERS[5:20], also=fail)

    (info,) = read(store)
    assert set(find(NUMBERS)) == set(NUMBERS[:10])
    assert set(count_pages(store)) == {info.version_id}


def test_what_a_killed_import_left_goes_with_the_next(
    store: Store, put: Put, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr("ringfence.core.state.list_imports._clear", lambda *_: None)
        killed.setattr("ringfence.core.state.list_imports.ListImport._promote", untold)
        put(NUMBERS)
    assert count_pages(store)

    put(NUMBERS[:3])

    (info,) = read(store)
    assert set(count_pages(store)) == {info.version_id}
    with store.transaction() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.list_versions)) == 1


def test_of_two_imports_at_once_one_is_refused(put: Put) -> None:
    with pytest.raises(BusyError, match="being imported already"):
        put(NUMBERS, also=lambda *_: put(NUMBERS))


def test_pages_are_told_apart_by_part(store: Store, put: Put) -> None:
    put(NUMBERS[:10])
    put(NUMBERS[1:10])

    with store.transaction() as connection:
        parts = set(connection.scalars(select(schema.list_pages.c.part)))

    assert parts == {Part.CONTENT, Part.CHANGE}
