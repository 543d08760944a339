"""The parts of a run: reads of a sync that several workers share, each done by one of them at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select, update

from . import schema
from .journal import Stretch
from .store import Store

SEQS = 1_000_000
"""Numbers of the journal that each part has for its batches."""

MOST_PARTS = 1_000
"""Parts of one round of reads: the numbers of the journal end at two billion."""


class Phase(StrEnum):
    """Which reads a part is of."""

    CHANGED = "changed"  # all records of the range
    DUE = "due"  # those that are due by age


class PartState(StrEnum):
    """Where a part stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # an error ended it
    ENDED = "ended"  # its run goes on without it: whoever holds it ends after the batch at hand


UNDER_WAY = (PartState.WAITING.value, PartState.RUNNING.value)
"""States of a part that is not over, as they are stored."""


@dataclass(frozen=True, slots=True)
class RunPart:
    """A part as the store has it; see :data:`ringfence.core.state.schema.run_parts`."""

    run_id: str
    part: int
    object: str
    phase: Phase
    range: str
    state: PartState
    silent: bool
    instructions: Mapping[str, Any]
    position: str | None
    counts: Mapping[str, Any] | None
    holder: str | None
    renewed_at: datetime | None
    rows_done: int
    rows_total: int | None
    error: Mapping[str, Any] | None

    @property
    def over(self) -> bool:
        """Return whether nobody works at it, and nobody will."""
        return self.state not in UNDER_WAY and self.holder is None

    @property
    def stretch(self) -> Stretch:
        """Return where its batches are in the journal of the run."""
        return Stretch(self.run_id, self.part * SEQS, (self.part + 1) * SEQS - 1)


@dataclass(frozen=True, slots=True)
class NewPart:
    """A part that is to be put on record; ``instructions`` are JSON values and hold no secret and no number."""

    object: str
    phase: Phase
    range: str
    instructions: Mapping[str, Any]


def add_parts(store: Store, run_id: str, first: int, parts: Sequence[NewPart]) -> list[int]:
    """Put the parts of a run on record and return their numbers, which count from ``first``."""
    numbers = list(range(first, first + len(parts)))
    rows = [
        {
            "run_id": run_id,
            "part": number,
            "object": part.object,
            "phase": part.phase.value,
            "range": part.range,
            "instructions": json.dumps(part.instructions),
            "state": PartState.WAITING.value,
        }
        for number, part in zip(numbers, parts, strict=True)
    ]
    with store.transaction() as connection:
        connection.execute(insert(schema.run_parts), rows)
    return numbers


def list_parts(store: Store, run_id: str) -> list[RunPart]:
    """Return the parts of a run in their order."""
    table = schema.run_parts
    with store.transaction() as connection:
        return [as_part(row) for row in connection.execute(select_parts(run_id).order_by(table.c.part))]


def find_part(store: Store, run_id: str, part: int) -> RunPart | None:
    """Return a part; None where the run has none of this number, or is forgotten."""
    with store.transaction() as connection:
        row = connection.execute(select_parts(run_id).where(schema.run_parts.c.part == part)).one_or_none()
    return None if row is None else as_part(row)


def end_parts(store: Store, run_id: str) -> None:
    """End the parts of a run that are under way: whoever holds one ends after the batch at hand."""
    table = schema.run_parts
    with store.transaction() as connection:
        under_way = (table.c.run_id == run_id, table.c.state.in_(UNDER_WAY))
        connection.execute(update(table).where(*under_way).values(state=PartState.ENDED.value))


def silence_parts(store: Store, run_id: str) -> None:
    """Let the parts of a run enforce opt-outs and write nothing else from now on."""
    table = schema.run_parts
    with store.transaction() as connection:
        connection.execute(update(table).where(table.c.run_id == run_id).values(silent=True))


def forget_parts(store: Store, run_ids: Sequence[str]) -> int:
    """Delete the parts of these runs, a few hundred at most, and return how many."""
    with store.transaction() as connection:
        return connection.execute(delete(schema.run_parts).where(schema.run_parts.c.run_id.in_(run_ids))).rowcount


def forget_other_runs(store: Store, org_id: int, run_id: str) -> None:
    """Delete the parts of the org's other runs, once what they have sent is reconciled."""
    runs, parts = schema.runs, schema.run_parts
    others = select(runs.c.id).where(runs.c.org_id == org_id, runs.c.id != run_id)
    with store.transaction() as connection:
        connection.execute(delete(parts).where(parts.c.run_id.in_(others)))


def select_parts(run_id: str) -> Any:
    """Return the query for the parts of a run."""
    return select(schema.run_parts).where(schema.run_parts.c.run_id == run_id)


def is_part(run_id: str, part: int) -> tuple[Any, ...]:
    """Return the conditions for one part."""
    return (schema.run_parts.c.run_id == run_id, schema.run_parts.c.part == part)


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def as_part(row: Any) -> RunPart:
    """Return a row as a part."""
    return RunPart(
        run_id=row.run_id,
        part=row.part,
        object=row.object,
        phase=Phase(row.phase),
        range=row.range,
        state=PartState(row.state),
        silent=row.silent,
        instructions=json.loads(row.instructions),
        position=row.position,
        counts=_read(row.counts),
        holder=row.holder,
        renewed_at=row.renewed_at,
        rows_done=row.rows_done,
        rows_total=row.rows_total,
        error=_read(row.error),
    )
