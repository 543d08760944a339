"""Writing changes by Composite calls, in the best batches, with a result for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from ringfence.core.decisions.plan import same_value
from ringfence.core.errors import UnreachableError
from ringfence.core.model.values import Change, Outcome, RowResult
from ringfence.core.ports.services import Clock

from ..http.batches import in_batches
from ..http.retry import BackOff
from .chunk_queue import Chunk, ChunkQueue
from .chunks import ChunkSizes
from .client import PAGE, Row, SalesforceClient
from .composite import (
    COLLECTION,
    HEAVY_SUBREQUESTS,
    NO_ASSIGNMENT,
    SAVE_DUPLICATES,
    SUBREQUESTS,
    TYPE_RUNS,
    Subrequest,
    SubrequestAnswer,
)
from .errors import Action, AnswerError, Fault, find_action, read_error, read_fault, read_row_error
from .fields import read_moment, write_value

TRIES = 4
"""How often a row is sent in all while another transaction holds it locked."""

LOCK_BACK_OFF = BackOff(first_s=1, longest_s=4, jitter_s=1)
"""Pauses before rows that were locked are sent again."""


class CompositeWriter:
    """Writes one list of changes. Every result comes from the answer about that very row."""

    def __init__(
        self, client: SalesforceClient, clock: Clock, changes: Sequence[Change], sizes: ChunkSizes | None = None
    ) -> None:
        self._client = client
        self._clock = clock
        self._changes = changes
        self._queue = ChunkQueue(changes, sizes or ChunkSizes(clock, {}))
        self._results: dict[int, RowResult] = {}
        self._changed_since: dict[str, list[int]] = {}

    def write(self) -> list[RowResult]:
        """Write and return one result for each change, in order.

        Raises AuthenticationError, AccessError, SchemaError, QuotaError or UnreachableError when no row can be written.
        """
        plain = [index for index, change in enumerate(self._changes) if not change.guard]
        guarded = [index for index, change in enumerate(self._changes) if change.guard]
        self._run(self._split(plain), HEAVY_SUBREQUESTS, self._collection, self._settle_collection)
        self._run(self._stamped(guarded), SUBREQUESTS, self._guarded, self._settle_guarded)
        self._settle_changed()
        return [self._results[index] for index in range(len(self._changes))]

    def _split(self, indexes: Iterable[int]) -> Iterable[Chunk]:
        for runs in in_batches(list(self._queue.by_object(indexes).values()), TYPE_RUNS):
            rows = [index for run in runs for index in run]
            for batch in in_batches(rows, COLLECTION):
                yield Chunk(tuple(batch))

    def _stamped(self, indexes: Iterable[int]) -> Iterable[Chunk]:
        for index in indexes:
            if self._changes[index].modified is None:
                words = "its stamp is unknown, so nothing keeps a person's edit safe: it has to be read again"
                self._results[index] = RowResult(Outcome.CONFLICT, "NO_STAMP", words)
            else:
                yield Chunk((index,))

    def _run(
        self,
        chunks: Iterable[Chunk],
        width: int,
        make: Callable[[Chunk], Subrequest],
        settle: Callable[[Chunk, SubrequestAnswer], list[Chunk]],
    ) -> None:
        self._queue.add(chunks)
        while batch := self._queue.take(width):
            again: list[Chunk] = []

            for chunk, answer in zip(batch, self._send([make(chunk) for chunk in batch]), strict=True):
                again += settle(chunk, answer)

            if tries := max((chunk.tries for chunk in again), default=0):
                self._clock.sleep(LOCK_BACK_OFF.pause(tries))
            self._queue.put_back(again)

    def _send(self, subrequests: Sequence[Subrequest]) -> list[SubrequestAnswer]:
        try:
            return self._client.composite(subrequests, "write")
        except AnswerError as error:
            # One bad row can make the call fail as a whole: each subrequest then counts as refused, and is cut up.
            body = [{"errorCode": error.fault.code, "message": error.fault.words}]
            return [SubrequestAnswer(400, body)] * len(subrequests)

    def _collection(self, chunk: Chunk) -> Subrequest:
        rows = [self._row(self._changes[index]) for index in chunk.indexes]
        return Subrequest("PATCH", "composite/sobjects", {"allOrNone": False, "records": rows}, NO_ASSIGNMENT)

    @staticmethod
    def _row(change: Change) -> dict[str, Any]:
        row: dict[str, Any] = {"attributes": {"type": change.object}, "id": change.id}
        row.update(zip(change.names, map(write_value, change.new), strict=True))
        return row

    def _guarded(self, chunk: Chunk) -> Subrequest:
        change = self._changes[chunk.indexes[0]]
        if change.modified is None:
            raise ValueError("a guarded change needs a stamp")

        headers = {
            **NO_ASSIGNMENT,
            **SAVE_DUPLICATES,
            "If-Unmodified-Since": format_datetime(change.modified.astimezone(UTC), usegmt=True),
        }
        body = dict(zip(change.names, map(write_value, change.new), strict=True))
        return Subrequest("PATCH", f"sobjects/{change.object}/{change.id}", body, headers)

    def _settle_collection(self, chunk: Chunk, answer: SubrequestAnswer) -> list[Chunk]:
        if not answer.ok or not isinstance(answer.body, list):
            return self._settle_refused(chunk, answer)

        locked, overloaded = [], []
        for position, index in enumerate(chunk.indexes):
            row = answer.body[position] if position < len(answer.body) else None
            fault = _row_fault(row, self._changes[index].id)
            if fault is not None and fault.locked and chunk.tries + 1 < TRIES:
                locked.append(index)
                continue
            if fault is not None and fault.overloaded:
                overloaded.append(index)
            self._results[index] = read_row_error(fault) if fault else _WRITTEN

        again = self._queue.halve(chunk, overloaded)
        return [*again, replace(chunk, indexes=tuple(locked), tries=chunk.tries + 1)] if locked else again

    def _settle_guarded(self, chunk: Chunk, answer: SubrequestAnswer) -> list[Chunk]:
        if answer.ok:
            self._results[chunk.indexes[0]] = _WRITTEN
            return []
        if answer.status == 412:
            self._changed_since.setdefault(self._changes[chunk.indexes[0]].object, []).append(chunk.indexes[0])
            return []
        return self._settle_refused(chunk, answer)

    def _settle_changed(self) -> None:
        """Find out who changed the records that are not as they were read.

        It was somebody else, or an attempt of ours that succeeded and whose answer was lost.
        """
        for name, indexes in self._changed_since.items():
            for some in in_batches(indexes, PAGE):
                changes = [self._changes[index] for index in some]
                fields = sorted({field for change in changes for field in change.names})

                rows = self._client.retrieve(name, [change.id for change in changes], fields, "write")
                ours = [row is not None and _holds(row, change) for row, change in zip(rows, changes, strict=True)]
                results = (_WRITTEN if is_ours else _CHANGED_SINCE for is_ours in ours)
                self._results.update(zip(some, results, strict=True))

    def _settle_refused(self, chunk: Chunk, answer: SubrequestAnswer) -> list[Chunk]:
        """Cut up a chunk that was refused whole, until its bad row stands alone; a single row is settled."""
        if answer.ok or not answer.status:
            self._results.update((index, read_row_error(_NO_RESULT)) for index in chunk.indexes)
            return []

        fault = read_fault(answer.body)
        if fault.overloaded:
            self._results.update((index, read_row_error(fault)) for index in chunk.indexes)
            return self._queue.halve(chunk, chunk.indexes)

        action = find_action(answer.status, fault)
        if fault.locked or action in (Action.WAIT, Action.SLOW_DOWN):
            if chunk.tries + 1 < TRIES:
                return [Chunk(chunk.indexes, chunk.tries + 1)]
            if not fault.locked:
                error = read_error("a write", answer.status, answer.body)
                raise UnreachableError(str(error), "Run again later: it goes on from here.") from error
        elif action in (Action.STOP, Action.LOG_IN) or (len(chunk.indexes) > 1 and action is not Action.CORRECT):
            raise read_error("a write", answer.status, answer.body)

        if len(chunk.indexes) == 1:
            self._results[chunk.indexes[0]] = read_row_error(fault)
            return []

        return _cut(chunk)


_WRITTEN = RowResult(Outcome.WRITTEN)
_CHANGED_SINCE = RowResult(Outcome.CONFLICT, "PRECONDITION_FAILED", "somebody changed the record since it was read")
_NO_RESULT = Fault("NO_RESULT", "Salesforce's answer says nothing about this row")


def _cut(chunk: Chunk) -> list[Chunk]:
    # Into five, because five collections travel in one call.
    size = -(-len(chunk.indexes) // HEAVY_SUBREQUESTS)
    return [Chunk(tuple(part)) for part in in_batches(chunk.indexes, size)]


def _holds(row: Row, change: Change) -> bool:
    """Return whether a row, as Salesforce holds it, has all the values that the change sets."""
    for name, new in zip(change.names, change.new, strict=True):
        held = row.get(name)
        if not same_value(read_moment(held) if held and isinstance(new, datetime) else held, new):
            return False
    return True


def _row_fault(row: object, record_id: str) -> Fault | None:
    """Return the fault in a row's result, None where the row was written."""
    if not isinstance(row, dict):
        return _NO_RESULT
    if row.get("success") is True:
        # An id of 18 characters is the 15 that identify the record and a check sum.
        return None if str(row.get("id"))[:15] == record_id[:15] else _NO_RESULT
    return read_fault(row.get("errors"))
