"""The audit log: a chain that shows every entry that was changed, removed, inserted or put elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.errors import StateError
from ringfence.core.state import schema
from ringfence.core.state.audit import HEAD, Act, AuditAction, AuditEntry, AuditLog, Verified
from ringfence.core.state.store import Store
from testkit.clock import SetClock

ON_SQLITE = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
ENTRIES = 4


def write(store: Store, clock: SetClock, count: int = ENTRIES) -> list[AuditEntry]:
    log, written = AuditLog(store.keyring), []
    for number in range(count):
        act = Act(clock.now(), "ann@desk", AuditAction.ADD, f"entry {number}", "asked on the phone")
        with store.transaction() as connection:
            written.append(log.append(connection, act))
        clock.advance(hours=1)
    return written


def verify(store: Store, kept: str = "") -> Verified:
    with store.transaction() as connection:
        return AuditLog(store.keyring).verify(connection, kept)


def spoil(store: Store, *statements: str) -> None:
    with store.transaction() as connection:
        for each in statements:
            connection.exec_driver_sql(each)


def test_what_was_written_is_listed_newest_first_and_fits_together(store: Store, clock: SetClock) -> None:
    began = clock.now()
    written = write(store, clock)

    with store.transaction() as connection:
        listed = AuditLog(store.keyring).latest(connection, began + timedelta(hours=2), 10)
        latest = AuditLog(store.keyring).latest(connection, None, 1)

    assert listed == [written[3], written[2]]
    assert latest == [written[3]]
    assert (written[0].seq, written[0].author, written[0].action) == (1, "ann@desk", "add")
    assert verify(store) == Verified(ENTRIES, written[3].hash, None, holds_kept=True)


@ON_SQLITE
def test_no_full_number_gets_into_the_log(store: Store, clock: SetClock) -> None:
    with store.transaction() as connection:
        act = Act(clock.now(), "ann@desk", AuditAction.LIFT, "+14155550132", "415 555 0132 called back")
        entry = AuditLog(store.keyring).append(connection, act)

    assert (entry.subject, entry.reason) == ("+1415***0132", "***32 called back")
    assert verify(store).broken_at is None


@ON_SQLITE
@pytest.mark.parametrize("column", ["at", "author", "action", "subject", "reason", "hash"])
@pytest.mark.parametrize("position", ["1", "length({})"])
def test_a_byte_changed_anywhere_is_found(store: Store, clock: SetClock, column: str, position: str) -> None:
    write(store, clock)
    at = position.format(column)
    changed = f"CAST(CAST(substr({column}, 1, {at} - 1) AS BLOB) || x'ff' || substr({column}, {at} + 1) AS TEXT)"

    spoil(store, f"UPDATE audit SET {column} = {changed} WHERE seq = 2")

    assert verify(store).broken_at == 2


@pytest.mark.parametrize(
    ("statements", "broken_at"),
    [
        pytest.param(["DELETE FROM audit WHERE seq = 2"], 2, id="removed"),
        pytest.param(["DELETE FROM audit WHERE seq >= 3"], 3, id="cut off at the end"),
        pytest.param(["DELETE FROM audit"], 1, id="emptied"),
        pytest.param(["DELETE FROM audit WHERE seq = 1", "UPDATE audit SET seq = seq - 1"], 1, id="moved up"),
        pytest.param(
            [
                "UPDATE audit SET seq = 9 WHERE seq = 2",
                "UPDATE audit SET seq = 2 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 9",
            ],
            2,
            id="reordered",
        ),
        pytest.param(
            ["INSERT INTO audit SELECT 5, at, author, action, subject, reason, hash FROM audit WHERE seq = 4"],
            5,
            id="inserted at the end",
        ),
        pytest.param(["DELETE FROM secrets WHERE name = 'audit-head'"], 4, id="head removed"),
        pytest.param(
            ["UPDATE secrets SET value = (SELECT value FROM secrets WHERE name = 'hash-key')"], 4, id="head swapped"
        ),
    ],
)
def test_tampering_is_found(store: Store, clock: SetClock, statements: Iterable[str], broken_at: int) -> None:
    write(store, clock)

    spoil(store, *statements)

    assert verify(store).broken_at == broken_at


@ON_SQLITE
def test_an_older_head_does_not_hide_what_was_added_or_cut_off_since(store: Store, clock: SetClock) -> None:
    older = write(store, clock, 2)[-1]
    with store.transaction() as connection:
        head = connection.scalar(sa.select(schema.secrets.c.value).where(schema.secrets.c.name == HEAD))
    newer = write(store, clock, 2)[-1]

    with store.transaction() as connection:
        connection.execute(sa.update(schema.secrets).where(schema.secrets.c.name == HEAD).values(value=head))
    with_the_rest = verify(store)
    spoil(store, "DELETE FROM audit WHERE seq > 2")

    assert with_the_rest.broken_at == 3
    assert verify(store) == Verified(2, older.hash, None, holds_kept=True)  # an older state as a whole
    assert verify(store, older.hash).holds_kept
    assert not verify(store, newer.hash).holds_kept


def test_writers_at_once_make_one_chain(store: Store, clock: SetClock) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(write, store, clock) for _ in range(4)]
    for each in done:
        each.result()

    assert verify(store).entries == 4 * ENTRIES
    assert verify(store).broken_at is None


def test_an_act_that_is_undone_leaves_no_entry(store: Store, clock: SetClock) -> None:
    (before,) = write(store, clock, 1)

    with suppress(ZeroDivisionError), store.transaction() as connection:
        AuditLog(store.keyring).append(connection, Act(clock.now(), "ann@desk", AuditAction.LIFT, "x"))
        raise ZeroDivisionError

    assert verify(store) == Verified(1, before.hash, None, holds_kept=True)
    assert write(store, clock, 1)[0].seq == 2


@ON_SQLITE
def test_a_log_whose_head_is_gone_is_not_gone_on_with(store: Store, clock: SetClock) -> None:
    write(store, clock)
    spoil(store, "DELETE FROM secrets WHERE name = 'audit-head'")

    with pytest.raises(StateError, match="head of the audit log is gone"):
        write(store, clock)


@ON_SQLITE
def test_a_log_is_empty_at_first(store: Store) -> None:
    found: Any = verify(store)

    assert (found.entries, found.broken_at, found.head) == (0, None, "00" * 32)
