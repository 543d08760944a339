"""What is known of a job beyond its queue: what its latest attempt ended with, and how far it is. For every engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from .. import schema
from ..sql import in_batches, upsert

LONGEST = 2_000
"""Characters of an error that are kept."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a job; of one without a note nothing is.

    ``faults`` counts attempts that ended by a fault of the program, ``handed_back`` those that do not count.
    """

    error: str = ""
    progress: Mapping[str, Any] | None = None
    faults: int = 0
    handed_back: int = 0


def read_notes(connection: Connection, job_ids: Iterable[int]) -> dict[int, Note]:
    """Return the notes of those of the jobs that have one."""
    table = schema.job_notes
    notes = {}
    for some in in_batches([str(job_id) for job_id in job_ids]):
        for row in connection.execute(select(table).where(table.c.job_id.in_([int(each) for each in some]))):
            progress = None if row.progress is None else json.loads(row.progress)
            notes[row.job_id] = Note(row.error, progress, row.faults, row.handed_back)
    return notes


def write_note(connection: Connection, job_id: int, note: Note) -> None:
    """Keep a note of a job in place of the one there was."""
    row = {
        "job_id": job_id,
        "error": note.error[:LONGEST],
        "progress": None if note.progress is None else json.dumps(note.progress),
        "faults": note.faults,
        "handed_back": note.handed_back,
    }
    upsert(connection, schema.job_notes, [row])


def forget_notes(connection: Connection, job_ids: Iterable[int]) -> None:
    """Forget the notes of these jobs."""
    table = schema.job_notes
    for some in in_batches([str(job_id) for job_id in job_ids]):
        connection.execute(delete(table).where(table.c.job_id.in_([int(each) for each in some])))
