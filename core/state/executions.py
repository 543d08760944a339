"""Executions of workflow actions: on record before they are accepted, and completed once each.

The other side repeats an execution whose answer it did not get, under the same id. So that id is the key: a repeat
finds what is there, and never starts anything anew. Before a call of completion goes out, its executions are marked as
being in it, and their outcome is put on record after it: killed in between, only that call is repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, or_, select, update

from ..numbers.traces import NumberTraces
from . import schema
from .intakes import Intake, await_intake, hold_intake
from .keyring import Keyring
from .sql import in_batches, insert_missing

_Table = schema.executions


class ExecutionState(StrEnum):
    """Where an execution stands."""

    ACCEPTED = "accepted"  # its number waits to be screened
    ANSWERED = "answered"  # the answer is known, and the other side does not have it yet
    COMPLETED = "completed"
    EXPIRED = "expired"  # the other side waited no longer
    FAILED = "failed"  # the other side refused the completion


WAITING = (ExecutionState.ACCEPTED, ExecutionState.ANSWERED)


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution on record. Moments are aware, in UTC.

    ``asked`` is what was asked, empty once it is over or its number was erased; ``answer`` what was found out, None
    before. Both are JSON values. ``was_called`` tells that a call of completion with it has begun whose outcome nobody
    knows.
    """

    id: int
    callback_id: str
    state: ExecutionState
    accepted_at: datetime
    expires_at: datetime | None
    was_called: bool
    asked: Mapping[str, Any]
    answer: Mapping[str, Any] | None

    @property
    def waits(self) -> bool:
        """Return whether the other side still has to be told."""
        return self.state in WAITING


class Executions:
    """The executions of one org. Each method works in the caller's transaction."""

    def __init__(self, keyring: Keyring, org_id: int) -> None:
        self._keyring = keyring
        self._org_id = org_id
        self._ours = _Table.c.org_id == org_id

    def find(self, connection: Connection, callback_id: str) -> Execution | None:
        """Return the execution with this id; None where there is none."""
        query = select(_Table).where(self._ours, _Table.c.callback_id == callback_id)
        row = connection.execute(query).one_or_none()
        return None if row is None else self._read(row)

    def accept(
        self,
        connection: Connection,
        callback_id: str,
        asked: Mapping[str, Any],
        e164: str | None,
        now: datetime,
        expires_at: datetime,
    ) -> bool:
        """Put an execution on record whose answer follows; return False where one with this id is there already.

        The job that is to look for it is put on record in the same transaction: then it finds it.
        """
        hold_intake(connection, Intake.EXECUTIONS, self._org_id)
        row = self._row(callback_id, ExecutionState.ACCEPTED, e164, now, {"asked": asked, "answer": None})
        return bool(insert_missing(connection, _Table, [{**row, "expires_at": expires_at, "ended_at": None}]))

    def note_answered(
        self, connection: Connection, callback_id: str, answer: Mapping[str, Any], e164: str | None, now: datetime
    ) -> bool:
        """Put an execution on record that is answered at once; return False where one with this id is there already."""
        row = self._row(callback_id, ExecutionState.COMPLETED, e164, now, {"asked": {}, "answer": answer})
        return bool(insert_missing(connection, _Table, [{**row, "expires_at": None, "ended_at": now}]))

    def prolong(self, connection: Connection, execution: Execution, expires_at: datetime) -> None:
        """Record that the other side, which asked again, waits until that moment."""
        connection.execute(update(_Table).where(_Table.c.id == execution.id).values(expires_at=expires_at))

    def list_due(self, connection: Connection, now: datetime, limit: int) -> list[Execution]:
        """Return executions that wait and whose turn it is, the oldest first."""
        await_intake(connection, Intake.EXECUTIONS, self._org_id)
        is_due = or_(_Table.c.retry_at.is_(None), _Table.c.retry_at <= now)
        query = select(_Table).where(self._ours, _is_waiting(), is_due).order_by(_Table.c.id).limit(limit)
        return [self._read(row) for row in connection.execute(query)]

    def find_next_turn(self, connection: Connection) -> datetime | None:
        """Return when the next execution is due that had to be put off; None where none was."""
        query = select(func.min(_Table.c.retry_at)).where(self._ours, _is_waiting())
        turn: datetime | None = connection.scalar(query)
        return turn

    def put_off(self, connection: Connection, execution: Execution, until: datetime) -> None:
        """Let an execution wait until that moment, because it could not be done."""
        connection.execute(update(_Table).where(_Table.c.id == execution.id).values(retry_at=until))

    def count_waiting(self, connection: Connection) -> int:
        """Return how many executions wait."""
        return connection.scalar(select(func.count()).select_from(_Table).where(self._ours, _is_waiting())) or 0

    def answer(self, connection: Connection, execution: Execution, answer: Mapping[str, Any]) -> None:
        """Put on record what was found out for an execution; what was asked is needed no more."""
        payload = self._seal(execution.callback_id, {}, answer)
        values = {"state": ExecutionState.ANSWERED.value, "payload": payload, "retry_at": None}
        waiting = (_Table.c.id == execution.id, _Table.c.state == ExecutionState.ACCEPTED.value)
        connection.execute(update(_Table).where(*waiting).values(**values))

    def begin_call(self, connection: Connection, ids: Collection[int], now: datetime) -> None:
        """Record that a call of completion with these executions is about to go out."""
        for some in in_batches(list(ids)):
            values = {"called_at": now, "attempts": _Table.c.attempts + 1}
            connection.execute(update(_Table).where(_Table.c.id.in_(some)).values(values))

    def end_call(self, connection: Connection, ids: Collection[int]) -> None:
        """Record that a call of completion was refused as a whole: it has completed none of these executions."""
        for some in in_batches(list(ids)):
            connection.execute(update(_Table).where(_Table.c.id.in_(some)).values(called_at=None))

    def end(
        self, connection: Connection, ids: Collection[int], state: ExecutionState, now: datetime, said: str = ""
    ) -> None:
        """Record what became of these executions; ``said`` is what the other side gave as its reason, masked."""
        for some in in_batches(list(ids)):
            values = {"state": state.value, "ended_at": now, "said": said}
            connection.execute(update(_Table).where(_Table.c.id.in_(some)).values(**values))

    def forget_old(self, connection: Connection, before: datetime) -> int:
        """Forget what ended before that moment; return how many."""
        return connection.execute(delete(_Table).where(self._ours, _Table.c.ended_at < before)).rowcount

    def _row(
        self, callback_id: str, state: ExecutionState, e164: str | None, now: datetime, content: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "org_id": self._org_id,
            "callback_id": callback_id,
            "state": state.value,
            "number_key": None if e164 is None else self._keyring.number_key(e164),
            "accepted_at": now,
            "payload": self._seal(callback_id, content["asked"], content["answer"]),
        }

    def _seal(self, callback_id: str, asked: Mapping[str, Any], answer: Mapping[str, Any] | None) -> bytes:
        content = {"asked": dict(asked), "answer": None if answer is None else dict(answer)}
        return self._keyring.seal(content, execution_about({"org_id": self._org_id, "callback_id": callback_id}))

    def _read(self, row: Row[Any]) -> Execution:
        content = self._keyring.open(bytes(row.payload), execution_about(row._mapping))
        return Execution(
            row.id,
            row.callback_id,
            ExecutionState(row.state),
            row.accepted_at,
            row.expires_at,
            row.called_at is not None,
            content["asked"],
            content["answer"],
        )


def _is_waiting() -> ColumnElement[bool]:
    return _Table.c.state.in_([state.value for state in WAITING])


def list_orgs_with_waiting(connection: Connection, before: datetime) -> list[str]:
    """Return the keys of the orgs of which executions wait that were accepted and due by that moment."""
    orgs = schema.orgs
    is_due = or_(_Table.c.retry_at.is_(None), _Table.c.retry_at <= before)
    is_left = exists().where(_Table.c.org_id == orgs.c.id, _is_waiting(), _Table.c.accepted_at <= before, is_due)
    return list(connection.scalars(select(orgs.c.key).where(is_left).order_by(orgs.c.key)))


def find_executions(connection: Connection, keyring: Keyring, e164: str) -> list[Row[Any]]:
    """Return the rows of the executions about an E.164 number, of all orgs, with the key of the org as ``org``."""
    orgs, key = schema.orgs, keyring.number_key(e164)
    query = select(_Table, orgs.c.key.label("org")).join(orgs, orgs.c.id == _Table.c.org_id)
    return list(connection.execute(query.where(_Table.c.number_key == key).order_by(_Table.c.id)))


def forget_in_executions(connection: Connection, keyring: Keyring, e164: str) -> int:
    """Let the executions that hold an E.164 number name it no more; return how many did.

    One that waits stays, and is completed without an answer: the other side waits for it. A cell that was asked about
    may hold several numbers, and so each of those is opened.
    """
    traces, own = NumberTraces(e164), keyring.number_key(e164)
    waiting = _Table.c.state == ExecutionState.ACCEPTED.value
    rows = [
        row
        for row in connection.execute(select(_Table).where(waiting, _Table.c.number_key.is_distinct_from(own)))
        if traces.are_in(str(_open(keyring, row)["asked"].get("phone", "")))
    ]
    return _forget(connection, keyring, rows) + forget_under(connection, keyring, own)


def forget_under(connection: Connection, keyring: Keyring, key: bytes) -> int:
    """Let the executions about the number with that key name it no more; return how many did."""
    return _forget(connection, keyring, connection.execute(select(_Table).where(_Table.c.number_key == key)).all())


def _forget(connection: Connection, keyring: Keyring, rows: Iterable[Row[Any]] | Sequence[Row[Any]]) -> int:
    changed = 0
    for row in rows:
        content = _open(keyring, row)
        asked = {**content["asked"], "phone": ""} if content["asked"] else {}
        payload = keyring.seal({"asked": asked, "answer": None}, execution_about(row._mapping))
        connection.execute(update(_Table).where(_Table.c.id == row.id).values(payload=payload, number_key=None))
        changed += 1
    return changed


def _open(keyring: Keyring, row: Row[Any]) -> Any:
    return keyring.open(bytes(row.payload), execution_about(row._mapping))


def execution_about(row: Any) -> bytes:
    """Return what the payload of a row is bound to; ``row`` gives its values by name."""
    return f"executions:{row['org_id']}:{row['callback_id']}".encode()
