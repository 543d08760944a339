"""Writing changes by batch updates, with a result for each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ringfence.core.model.values import Change, Outcome, RowResult, Value

from .client import BATCH, HubSpotClient
from .errors import AnswerError, read_row_error, read_words
from .fields import read_value, write_value

GONE = RowResult(Outcome.CONFLICT, "OBJECT_NOT_FOUND", "the record was merged, archived or deleted")
CHANGED = RowResult(Outcome.CONFLICT, "CHANGED", "somebody edited the record since it was read")
WRITTEN = RowResult(Outcome.WRITTEN)

UNKNOWN_PROPERTY = "PROPERTY_DOESNT_EXIST"


class BatchWriter:
    """Writes changes of one object. ``kinds`` is property name -> HubSpot type of its mapped fields."""

    def __init__(self, client: HubSpotClient, object_name: str, kinds: Mapping[str, str]) -> None:
        self._client = client
        self._object_name = object_name
        self._kinds = kinds

    def write(self, changes: Sequence[Change]) -> Iterator[RowResult]:
        """Yield the result of each change in order. Raises SchemaError for a property that the portal lacks."""
        for batch in _batches(changes):
            stale = self._check_guards(batch)
            results = self._update([change for change in batch if change.id not in stale])
            for change in batch:
                yield stale.get(change.id) or results[change.id]

    def _check_guards(self, batch: Sequence[Change]) -> dict[str, RowResult]:
        guarded = [change for change in batch if change.guard]
        if not guarded:
            return {}

        names = sorted({name for change in guarded for name in change.guard})
        answer = self._client.read_batch(self._object_name, [change.id for change in guarded], names)
        held = {str(row["id"]): row["properties"] for row in answer["results"]}
        stale = {}

        for change in guarded:
            if change.id not in held:
                stale[change.id] = GONE
            elif any(self._typed(name, held[change.id]) != value for name, value in change.guard.items()):
                stale[change.id] = CHANGED

        return stale

    def _typed(self, name: str, properties: Mapping[str, str | None]) -> Value:
        return read_value(self._kinds.get(name, "string"), properties.get(name))

    def _update(self, batch: Sequence[Change]) -> dict[str, RowResult]:
        if not batch:
            return {}

        try:
            answer = self._client.update_batch(self._object_name, [_input(change) for change in batch], "write")
        except AnswerError as error:
            if error.status != 400 or error.category == UNKNOWN_PROPERTY:
                raise
            if len(batch) == 1:
                return {batch[0].id: RowResult(Outcome.REFUSED, error.category, error.words)}
            # One bad row may make the batch fail: halve it until the row stands alone.
            middle = len(batch) // 2
            return self._update(batch[:middle]) | self._update(batch[middle:])

        return _match(batch, answer)


def _match(batch: Sequence[Change], answer: Mapping[str, Any]) -> dict[str, RowResult]:
    """Return a result for every row: written only when its id came back, gone when the answer does not mention it."""
    written = {str(row["id"]) for row in answer.get("results") or ()}
    named: dict[str, RowResult] = {}
    rest = GONE

    for error in answer.get("errors") or ():
        ids = _error_ids(error)
        named.update(dict.fromkeys(ids, read_row_error(error)))
        if not ids:
            rest = RowResult(Outcome.REFUSED, *read_words(error))

    return {change.id: WRITTEN if change.id in written else named.get(change.id, rest) for change in batch}


def _error_ids(error: Mapping[str, Any]) -> list[str]:
    context = error.get("context") or {}
    for key in ("objectWriteTraceId", "ids", "id"):
        if value := context.get(key):
            return [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return []


def _input(change: Change) -> dict[str, Any]:
    # The id is the trace: unique in its batch, and errors echo it.
    properties = {name: write_value(value) for name, value in change.new_values().items()}
    return {"id": change.id, "objectWriteTraceId": change.id, "properties": properties}


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Yield lists of up to 100 changes; HubSpot refuses a batch that names an id twice."""
    batch: dict[str, Change] = {}
    for change in changes:
        if len(batch) == BATCH or change.id in batch:
            yield list(batch.values())
            batch = {}
        batch[change.id] = change

    if batch:
        yield list(batch.values())
