"""Changes in the best batches, and what became of each row."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from ringfence.core.decisions.plan import same_value
from ringfence.core.errors import UnreachableError
from ringfence.core.model.values import Change, Outcome, RowResult
from ringfence.core.ports.services import Clock

from ..http.batches import in_batches
from ..http.retry import BackOff
from .client import (
    COLLECTION,
    HEAVY_SUBREQUESTS,
    NO_ASSIGNMENT,
    PAGE,
    SUBREQUESTS,
    TYPE_RUNS,
    Part,
    PartAnswer,
    Row,
    SalesforceClient,
)
from .errors import Action, AnswerError, Fault, find_action, read_error, read_fault, read_row_error
from .fields import read_moment, write_value

TRIES = 4
"""How often a row that another transaction holds locked is sent in all."""

LOCK_BACK_OFF = BackOff(first_s=1, longest_s=4, jitter_s=1)
"""Pauses before rows that were locked are sent again."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that travel in one subrequest, by their place among the changes, and how often they were sent already."""

    places: tuple[int, ...]
    tries: int = 0


class CompositeWriter:
    """Writes one list of changes. Every result is taken from the answer about that very row."""

    def __init__(self, client: SalesforceClient, clock: Clock, changes: Sequence[Change]) -> None:
        self._client = client
        self._clock = clock
        self._changes = changes
        self._results: dict[int, RowResult] = {}
        self._changed_since: dict[str, list[int]] = {}

    def write(self) -> list[RowResult]:
        """Write and return one result for each change, in order.

        Raises AuthenticationError, AccessError, SchemaError, QuotaError or UnreachableError when no row can be written.
        """
        plain = [place for place, change in enumerate(self._changes) if not change.guard]
        guarded = [place for place, change in enumerate(self._changes) if change.guard]
        self._run(self._split(plain), HEAVY_SUBREQUESTS, self._collection, self._settle_collection)
        self._run(self._stamped(guarded), SUBREQUESTS, self._guarded, self._settle_guarded)
        self._settle_changed()
        return [self._results[place] for place in range(len(self._changes))]

    def _split(self, places: Iterable[int]) -> Iterable[Chunk]:
        by_object: dict[str, list[int]] = {}
        for place in places:
            by_object.setdefault(self._changes[place].object, []).append(place)
        for runs in in_batches(list(by_object.values()), TYPE_RUNS):
            rows = [place for run in runs for place in run]
            for batch in in_batches(rows, COLLECTION):
                yield Chunk(tuple(batch))

    def _stamped(self, places: Iterable[int]) -> Iterable[Chunk]:
        for place in places:
            if self._changes[place].modified is None:
                words = "its stamp is unknown, so nothing keeps a person's edit safe: it has to be read again"
                self._results[place] = RowResult(Outcome.CONFLICT, "NO_STAMP", words)
            else:
                yield Chunk((place,))

    def _run(
        self,
        chunks: Iterable[Chunk],
        width: int,
        part: Callable[[Chunk], Part],
        settle: Callable[[Chunk, PartAnswer], list[Chunk]],
    ) -> None:
        queue = deque(chunks)
        while queue:
            batch = [queue.popleft() for _ in range(min(width, len(queue)))]
            again: list[Chunk] = []
            for chunk, answer in zip(batch, self._send([part(chunk) for chunk in batch]), strict=True):
                again += settle(chunk, answer)
            if tries := max((chunk.tries for chunk in again), default=0):
                self._clock.sleep(LOCK_BACK_OFF.pause(tries))
            queue.extendleft(reversed(again))

    def _send(self, parts: Sequence[Part]) -> list[PartAnswer]:
        try:
            return self._client.composite(parts, "write")
        except AnswerError as error:
            # One bad row can spoil the call as a whole: each part is then refused and cut up.
            body = [{"errorCode": error.fault.code, "message": error.fault.words}]
            return [PartAnswer(400, body)] * len(parts)

    def _collection(self, chunk: Chunk) -> Part:
        rows = [self._row(self._changes[place]) for place in chunk.places]
        return Part("PATCH", "composite/sobjects", {"allOrNone": False, "records": rows}, NO_ASSIGNMENT)

    @staticmethod
    def _row(change: Change) -> dict[str, Any]:
        row: dict[str, Any] = {"attributes": {"type": change.object}, "id": change.id}
        row.update(zip(change.names, map(write_value, change.new), strict=True))
        return row

    def _guarded(self, chunk: Chunk) -> Part:
        change = self._changes[chunk.places[0]]
        if change.modified is None:
            raise ValueError("a guarded change needs a stamp")

        headers = {
            **NO_ASSIGNMENT,
            "If-Unmodified-Since": format_datetime(change.modified.astimezone(UTC), usegmt=True),
        }
        body = dict(zip(change.names, map(write_value, change.new), strict=True))
        return Part("PATCH", f"sobjects/{change.object}/{change.id}", body, headers)

    def _settle_collection(self, chunk: Chunk, answer: PartAnswer) -> list[Chunk]:
        if not answer.ok or not isinstance(answer.body, list):
            return self._settle_refused(chunk, answer)

        locked = []
        for index, place in enumerate(chunk.places):
            row = answer.body[index] if index < len(answer.body) else None
            fault = _row_fault(row, self._changes[place].id)
            if fault is not None and fault.locked and chunk.tries + 1 < TRIES:
                locked.append(place)
            else:
                self._results[place] = read_row_error(fault) if fault else _WRITTEN

        return [Chunk(tuple(locked), chunk.tries + 1)] if locked else []

    def _settle_guarded(self, chunk: Chunk, answer: PartAnswer) -> list[Chunk]:
        if answer.ok:
            self._results[chunk.places[0]] = _WRITTEN
            return []
        if answer.status == 412:
            self._changed_since.setdefault(self._changes[chunk.places[0]].object, []).append(chunk.places[0])
            return []
        return self._settle_refused(chunk, answer)

    def _settle_changed(self) -> None:
        """Find out who changed the records that are not as they were read: somebody, or a try of ours that landed and
        whose answer was lost.
        """
        for name, places in self._changed_since.items():
            for some in in_batches(places, PAGE):
                changes = [self._changes[place] for place in some]
                fields = sorted({field for change in changes for field in change.names})
                rows = self._client.retrieve(name, [change.id for change in changes], fields, "write")
                ours = [row is not None and _holds(row, change) for row, change in zip(rows, changes, strict=True)]
                results = (_WRITTEN if landed else _CHANGED_SINCE for landed in ours)
                self._results.update(zip(some, results, strict=True))

    def _settle_refused(self, chunk: Chunk, answer: PartAnswer) -> list[Chunk]:
        """Cut up a chunk that was refused whole, until its bad row stands alone; a single row is settled."""
        if answer.ok or not answer.status:
            self._results.update((place, read_row_error(_NO_RESULT)) for place in chunk.places)
            return []

        fault = read_fault(answer.body)
        action = find_action(answer.status, fault)
        if fault.locked or action in (Action.WAIT, Action.SLOW_DOWN):
            if chunk.tries + 1 < TRIES:
                return [Chunk(chunk.places, chunk.tries + 1)]
            if not fault.locked:
                error = read_error("a write", answer.status, answer.body)
                raise UnreachableError(str(error), "Run again later: it goes on from here.") from error
        elif action in (Action.STOP, Action.LOG_IN) or (len(chunk.places) > 1 and action is not Action.CORRECT):
            raise read_error("a write", answer.status, answer.body)

        if len(chunk.places) == 1:
            self._results[chunk.places[0]] = read_row_error(fault)
            return []

        return _cut(chunk)


_WRITTEN = RowResult(Outcome.WRITTEN)
_CHANGED_SINCE = RowResult(Outcome.CONFLICT, "PRECONDITION_FAILED", "somebody changed the record since it was read")
_NO_RESULT = Fault("NO_RESULT", "Salesforce's answer says nothing about this row")


def _cut(chunk: Chunk) -> list[Chunk]:
    # Into five, because five collections travel in one call.
    size = -(-len(chunk.places) // HEAVY_SUBREQUESTS)
    return [Chunk(tuple(part)) for part in in_batches(chunk.places, size)]


def _holds(row: Row, change: Change) -> bool:
    """Return whether a row, as Salesforce tells it, holds all that the change sets."""
    for name, new in zip(change.names, change.new, strict=True):
        held = row.get(name)
        if not same_value(read_moment(held) if held and isinstance(new, datetime) else held, new):
            return False
    return True


def _row_fault(row: object, record_id: str) -> Fault | None:
    """Return what is wrong with a row's result, None where it was written."""
    if not isinstance(row, dict):
        return _NO_RESULT
    if row.get("success") is True:
        # The 18 characters of an id are the 15 that count and a check sum.
        return None if str(row.get("id"))[:15] == record_id[:15] else _NO_RESULT
    return read_fault(row.get("errors"))
