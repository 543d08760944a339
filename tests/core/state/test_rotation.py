"""The encryption key rotated: killed anywhere and run again, the end is the same, and the old key is not needed."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.errors import BusyError, ErrorCode, StateError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence as EvidenceKind
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.model.values import Change, FieldChange, Outcome, RowResult
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.state import rotation, schema
from ringfence.core.state.audit import AuditLog
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.cursors import register_org
from ringfence.core.state.held_about import HeldAbout
from ringfence.core.state.journal import Journal, read_changes
from ringfence.core.state.keyring import EncryptionKeys, parse_key
from ringfence.core.state.leases import take_lease, this_process
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.private_files import create_whole
from ringfence.core.state.rotation import begin_rotation, count_left, finish_rotation, reseal_all
from ringfence.core.state.sealed import SEALED
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.postgres import TEST_KEY

OLD, NEW = TEST_KEY, base64.b64encode(bytes(range(32, 64))).decode()
KEYS = EncryptionKeys(parse_key(NEW), parse_key(OLD))
NUMBERS = [f"+1415555{number:04}" for number in range(130, 133)]
ON_SQLITE = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


KEYED_HASHES = {("list_pages", "packed")}
"""Columns of keys of numbers: they do not depend on the encryption key."""


class KilledError(Exception):
    """What a test ends a rotation with."""


@pytest.fixture(autouse=True)
def _few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "ROWS", 2)


@pytest.fixture
def filled(state_url: str, clock: SetClock) -> str:
    """Give the URL of a store that holds something of each kind, sealed under the old key."""
    with closing(open_store(state_url, OLD)) as store:
        fill(store, clock)
    return state_url


def fill(store: Store, clock: SetClock) -> None:
    org_id = register_org(store, Org("memory", "1", "One", production=True))
    journal = Journal(store, "r1")
    journal.begin("memory", org_id, clock.now(), dry_run=False, options={})
    for number in NUMBERS:
        change = Change.of("people", number[-1], (FieldChange("phone", number, number),))
        seq = journal.plan_batch([change], clock.now())
        journal.settle_batch(seq, [RowResult(Outcome.REFUSED, "RULE", "no")], clock.now())
    cache = LookupCache(store, "r1")
    cache.keep("twilio", [Answer(number, AnswerKind.KNOWN, clock.now(), Validity.VALID) for number in NUMBERS])
    cache.record_failure("twilio", Answer(NUMBERS[0], AnswerKind.FAILED, clock.now(), code="busy"), None)
    live = {"line": "active", "evidence": EvidenceKind.LIVE_NETWORK}
    cache.record_answer("vonage", Answer(NUMBERS[0], AnswerKind.KNOWN, clock.now(), **live))
    cache.claim("twilio", [Answer(NUMBERS[1], AnswerKind.LOST, clock.now())], clock.now(), again=True)
    with store.transaction() as connection:
        entry = NewEntry(
            NUMBERS[0], BlockKind.DNC_INTERNAL, Channel.ALL, BlockSource.PERSON, "asked", "ann", clock.now()
        )
        Blocks(store.keyring, "").add(connection, entry)


def rotate(url: str, clock: SetClock) -> Counter[str]:
    with closing(open_store(url, NEW, OLD)) as store:
        begin_rotation(store, KEYS, clock.now())
        done = reseal_all(store, lambda _: None)
        finish_rotation(store, "ann@desk", clock.now())
        return done


def all_of(store: Store, clock: SetClock) -> list[Any]:
    """Return what can be read of all that was sealed."""
    cache = LookupCache(store, "r1")
    with store.transaction() as connection:
        entries = Blocks(store.keyring, "").history(connection, NUMBERS[0])
    found = cache.find(NUMBERS, ["twilio"], clock.now(), clock.now())
    held = HeldAbout(store, NUMBERS[0]).answers()
    return [list(read_changes(store, "r1")), found, entries, held]


def test_afterwards_the_old_key_is_not_needed_and_all_is_as_it_was(filled: str, clock: SetClock) -> None:
    with closing(open_store(filled, OLD)) as store:
        before = all_of(store, clock)

    done = rotate(filled, clock)

    with closing(open_store(filled, NEW)) as store, store.transaction() as connection:
        assert all_of(store, clock) == before
        assert count_left(store) == 0
        assert AuditLog(store.keyring).verify(connection).entries == 1
        assert AuditLog(store.keyring).latest(connection, None, 1)[0].action == "rotate_key"
    assert (done["batches"], done["lookup_answers"], done["lookup_failures"], done["blocks"]) == (6, 4, 1, 1)
    assert done["lookup_history"] == 1
    with pytest.raises(StateError) as caught:
        open_store(filled, OLD)
    assert caught.value.code is ErrorCode.ENCRYPTION_KEY_MISMATCH


@ON_SQLITE
def test_again_there_is_nothing_to_do(filled: str, clock: SetClock) -> None:
    rotate(filled, clock)

    again = rotate(filled, clock)

    assert again.total() == 0
    with closing(open_store(filled, NEW)) as store, store.transaction() as connection:
        assert AuditLog(store.keyring).verify(connection).entries == 1


@ON_SQLITE
def test_killed_at_any_step_and_run_again_the_end_is_the_same(
    filled: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(filled, OLD)) as store:
        before = all_of(store, clock)
    real, steps = Store.transaction, Counter[str]()

    @contextmanager
    def transaction(self: Store) -> Iterator[Any]:
        with real(self) as connection:
            yield connection
            steps["done"] += 1
            if steps["done"] == steps["killed at"]:
                raise KilledError  # before the commit

    kills = 0
    while True:
        steps["done"], steps["killed at"] = 0, kills + 1
        with monkeypatch.context() as patched, suppress(KilledError):
            patched.setattr(Store, "transaction", transaction)
            rotate(filled, clock)
            break
        kills += 1
    rotate(filled, clock)

    assert kills > 5, "it was killed before, between and behind its steps"
    with closing(open_store(filled, NEW)) as store, store.transaction() as connection:
        assert all_of(store, clock) == before
        assert AuditLog(store.keyring).verify(connection).entries == 1


@ON_SQLITE
def test_what_a_sync_writes_meanwhile_is_read_by_both_and_sealed_anew(filled: str, clock: SetClock) -> None:
    with closing(open_store(filled, NEW, OLD)) as store, closing(open_store(filled, OLD)) as older:
        written = []

        def write(_: int) -> None:
            if not written:
                written.append(LookupCache(older, "r2"))
                written[0].keep("vonage", [Answer(NUMBERS[0], AnswerKind.KNOWN, clock.now(), Validity.VALID)])

        begin_rotation(store, KEYS, clock.now())
        reseal_all(store, write)

        assert count_left(store) == 0
        assert LookupCache(store, "r3").find(NUMBERS[:1], ["vonage"], clock.now(), clock.now())


@ON_SQLITE
def test_while_an_older_run_is_at_work_the_old_key_stays_needed(filled: str, clock: SetClock) -> None:
    with closing(open_store(filled, NEW, OLD)) as store:
        lease = take_lease(store, 1, "r1", clock.now(), this_process())
        clock.advance(minutes=1)

        with pytest.raises(BusyError, match="run r1 had begun before"):
            rotate(filled, clock)
        lease.release()
        rotate(filled, clock)

        assert count_left(store) == 0


def test_beside_a_file_every_process_follows_the_new_key(tmp_path: Path, clock: SetClock) -> None:
    url = f"sqlite:///{tmp_path}/beside.db"
    with closing(open_store(url)) as store, closing(open_store(url)) as syncing:
        fill(store, clock)
        before, old = all_of(store, clock), store.keyring.key_id
        assert store.key_file is not None

        keys = store.key_file.rotate()
        store.keyring.keep_up()
        LookupCache(syncing, "r2").keep("vonage", [Answer(NUMBERS[0], AnswerKind.KNOWN, clock.now(), Validity.VALID)])
        begin_rotation(store, keys, clock.now())
        reseal_all(store, lambda _: None)
        finish_rotation(store, "ann@desk", clock.now())
        put_aside = store.key_file.finish()

        assert all_of(syncing, clock) == before
        assert syncing.keyring.key_id == store.keyring.key_id != old
        assert put_aside == tmp_path / f"beside.key.{old}"
    with closing(open_store(url)) as store:
        assert all_of(store, clock) == before
    assert {path.name for path in tmp_path.glob("beside.key*")} == {"beside.key", f"beside.key.{old}"}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("beside.key*")} == {0o600}


@pytest.mark.parametrize("killed_at", range(1, 7))
def test_a_key_file_is_never_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    store = open_store(url)
    sealed, count = store.keyring.seal("kept"), Counter[str]()
    assert store.key_file is not None

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any) -> Any:
            count["steps"] += 1
            if count["steps"] == killed_at:
                raise KilledError
            done = real(*words)
            if count["steps"] == killed_at - 3:
                raise KilledError
            return done

        return call

    with monkeypatch.context() as patched, suppress(KilledError):
        patched.setattr("ringfence.core.state.key_files.create_whole", dying(create_whole))
        patched.setattr(Path, "replace", dying(Path.replace))
        store.key_file.rotate()
    with closing(open_store(url)) as again:
        assert again.keyring.open(sealed) == "kept"
        keys = again.key_file.rotate() if again.key_file else None
    store.close()

    assert keys is not None
    assert keys.old is not None
    with closing(open_store(url)) as after:
        assert after.keyring.open(sealed) == "kept"


def test_every_column_of_payloads_is_known() -> None:
    held = {
        (table.name, column.name)
        for table in schema.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary) and column.type.length is None and table.name != "secrets"
    }

    assert {(each.table.name, each.column.name) for each in SEALED} == held - KEYED_HASHES
