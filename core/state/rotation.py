"""The encryption key replaced while syncs go on: what is sealed under the old one is sealed anew, a few rows at a time.

A process that has both keys reads what is sealed under either and seals under the new one. So it does not matter when
the rotation is killed, or what is written meanwhile: run again, it goes on with what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, select, tuple_, update

from ..errors import BusyError, StateError
from . import schema
from .audit import Act, AuditAction, AuditLog
from .keyring import EncryptionKeys, unwrap_by_either, unwrap_key, wrap_key
from .leases import is_held, this_process
from .liveness import find_screening
from .sealed import SEALED, SealedColumn
from .sql import insert_missing, moment
from .store import HASH_KEY, Store

UNDER_WAY = "rotation"
"""Name under which a rotation that is under way keeps when it began and which key it began with."""

ROWS = 500
"""Rows that one transaction seals anew."""

_ABOUT = UNDER_WAY.encode()


def begin_rotation(store: Store, keys: EncryptionKeys, now: datetime) -> None:
    """Wrap the hash key under the new key, so that no process without it opens the store any more.

    One step: killed before it nothing has happened, and after it the rest goes on. ``now`` is UTC.
    """
    with store.transaction() as connection:
        _begin(store, connection, keys, moment(connection, now))


def _begin(store: Store, connection: Connection, keys: EncryptionKeys, now: datetime) -> None:
    table = schema.secrets
    # On SQLite this change, made or not, keeps others from changing what is read next.
    is_new = insert_missing(connection, table, [{"name": UNDER_WAY, "value": store.keyring.seal([now], _ABOUT)}])
    wrapped = bytes(connection.execute(select(table.c.value).where(table.c.name == HASH_KEY)).scalar_one())
    if is_new and _opens(keys.present, wrapped):
        connection.execute(delete(table).where(table.c.name == UNDER_WAY))  # an earlier one has come to its end
        return

    rewrapped = wrap_key(keys.present, unwrap_by_either(keys, wrapped))
    connection.execute(update(table).where(table.c.name == HASH_KEY).values(value=rewrapped))
    AuditLog(store.keyring).reseal(connection)


def _opens(key: bytes, wrapped: bytes) -> bool:
    try:
        unwrap_key(key, wrapped)
    except StateError:
        return False
    return True


def count_left(store: Store) -> int:
    """Return how many payloads are sealed under another key than the present one."""
    with store.transaction() as connection:
        return sum(
            connection.scalar(select(func.count()).select_from(each.table).where(_is_left(store, each))) or 0
            for each in SEALED
        )


def reseal_all(store: Store, progress: Callable[[int], None]) -> Counter[str]:
    """Seal anew what another key has sealed, until nothing of it is left; return how many payloads by table.

    ``progress`` is called with how many are done after each step.
    """
    done: Counter[str] = Counter({each.table.name: 0 for each in SEALED})
    while True:
        before = done.total()
        for each in SEALED:
            _reseal_column(store, each, done, progress)
        # What a process has written behind us, that learnt of the new key a moment later, is found by another round.
        if done.total() == before:
            return done


def _reseal_column(store: Store, sealed: SealedColumn, done: Counter[str], progress: Callable[[int], None]) -> None:
    keys = list(sealed.table.primary_key.columns)
    query = select(sealed.table).where(_is_left(store, sealed)).order_by(*keys).limit(ROWS)
    last: tuple[Any, ...] | None = None
    while True:
        with store.transaction() as connection:
            ahead = query if last is None else query.where(tuple_(*keys) > tuple_(*last))
            rows = connection.execute(ahead).all()
            if not rows:
                return
            done[sealed.table.name] += _reseal_rows(store, connection, sealed, rows)
        last = tuple(rows[-1]._mapping[key.name] for key in keys)
        progress(done.total())


def _reseal_rows(store: Store, connection: Connection, sealed: SealedColumn, rows: Sequence[Row[Any]]) -> int:
    """Seal these rows anew, but for those that somebody has changed since they were read; return how many."""
    table, column = sealed.table, sealed.column
    is_this = and_(*(key == bindparam(f"of_{key.name}") for key in table.primary_key.columns))
    statement = update(table).where(is_this, column == bindparam("was")).values({column.name: bindparam("becomes")})

    changes = []
    for row in rows:
        was = bytes(row._mapping[column.name])
        before = sealed.before(row) if sealed.before else None
        becomes = store.keyring.reseal(was, sealed.about(row), before)
        of = {f"of_{key.name}": row._mapping[key.name] for key in table.primary_key.columns}
        changes.append({**of, "was": was, "becomes": becomes})
    connection.execute(statement, changes)
    return len(changes)


def _is_left(store: Store, sealed: SealedColumn) -> Any:
    mark = store.keyring.mark
    return and_(sealed.column.is_not(None), func.substr(sealed.column, 1, len(mark)) != mark)


def finish_rotation(store: Store, author: str, now: datetime) -> None:
    """Enter the rotation into the audit log, and forget that it was under way; nothing where none was.

    Raises BusyError while a run is at work that had begun before and may know the old key alone: one that was given its
    key, for one that reads it from the file beside the store learns of the new one. ``now`` is UTC.
    """
    table = schema.secrets
    with store.transaction() as connection:
        gone = connection.execute(delete(table).where(table.c.name == UNDER_WAY).returning(table.c.value)).scalar()
        if gone is None:
            return

        ((began,),) = store.keyring.open(bytes(gone), _ABOUT)
        agreed = moment(connection, now)
        run_id = None if store.key_file else _find_older_run(connection, datetime.fromisoformat(began), agreed)
        if run_id:
            raise BusyError(
                f"All is encrypted anew, but run {run_id} had begun before and may know the old key alone.",
                "Rotate the key once more when it has ended, and keep the old key until then.",
            )
        act = Act(agreed, author, AuditAction.ROTATE_KEY, f"key {store.keyring.key_id}")
        AuditLog(store.keyring).append(connection, act)


def _find_older_run(connection: Connection, began: datetime, now: datetime) -> str | None:
    """Return a run at work that began before that moment; None where there is none."""
    leases, runs = schema.leases, schema.runs
    query = select(leases).join(runs, runs.c.id == leases.c.run_id).where(runs.c.started_at < began)
    held = [lease.run_id for lease in connection.execute(query) if is_held(lease, this_process(), now)]
    if held:
        return str(held[0])
    screening = find_screening(connection, now, began_before=began)
    return screening.id if screening is not None else None
