"""The statements by which the lookup cache asks and closes, made once.

Each question and each answer goes through them, and making a statement takes longer than carrying it out.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, and_, bindparam, delete, literal, not_, or_, select, union_all, update

from ..model.answers import AnswerKind
from ..model.run_outcome import RunOutcome
from . import schema

PART_OF = "#"
"""What stands between the id of a run and the number of its part that has asked."""


def run_of(run_id: str) -> str:
    """Return the id of a run, of itself or of one of its parts."""
    return run_id.partition(PART_OF)[0]


def _one_of(table: Table) -> tuple[Any, Any]:
    return (table.c.number_key == bindparam("key"), table.c.realm == bindparam("in_realm"))


ONE_ANSWER = select(schema.lookup_answers).where(*_one_of(schema.lookup_answers))
ONE_QUESTION = select(schema.lookup_questions).where(*_one_of(schema.lookup_questions))
DELETE_QUESTION = delete(schema.lookup_questions).where(*_one_of(schema.lookup_questions))

KEEP_ANSWER = update(schema.lookup_answers).where(*_one_of(schema.lookup_answers)).values(run_id=bindparam("by_run"))
"""An answer stands that a run has asked for anew: in that run it is not asked for again."""


def _among(table: Table) -> tuple[Any, Any]:
    return (
        table.c.number_key.in_(bindparam("number_keys", expanding=True)),
        table.c.realm.in_(bindparam("realms", expanding=True)),
    )


SOME_ANSWERS = select(schema.lookup_answers).where(*_among(schema.lookup_answers))


def _find_answers() -> Select[Any]:
    table = schema.lookup_answers
    counts = or_(table.c.observed_at >= bindparam("since"), table.c.run_id == bindparam("this_run"))
    columns = [table.c.number_key, table.c.realm, table.c.kind, table.c.run_id, table.c.observed_at, table.c.payload]
    return select(*columns).where(*_among(table), counts)


def _find_failures() -> Select[Any]:
    table, kind = schema.lookup_failures, literal(AnswerKind.FAILED.value)
    columns = [table.c.number_key, table.c.realm, kind, table.c.run_id, table.c.failed_at, table.c.payload]
    # What has failed for a part of a run counts for the run itself too.
    ours = or_(table.c.run_id == bindparam("this_run"), table.c.run_id.like(bindparam("parts_of_it")))
    return select(*columns).where(*_among(table), ours)


def _find_lost() -> Select[Any]:
    table, kind = schema.lookup_questions, literal(AnswerKind.LOST.value)
    runs = schema.runs
    asked_by = or_(table.c.run_id == runs.c.id, table.c.run_id.startswith(runs.c.id + PART_OF))
    running = select(runs.c.id).where(runs.c.outcome == RunOutcome.RUNNING.value, asked_by).exists()
    under_way = and_(table.c.asked_at > bindparam("answerable_since"), running)
    lost = and_(table.c.asked_at >= bindparam("since"), table.c.order_ref.is_(None), not_(under_way))

    columns = [table.c.number_key, table.c.realm, kind, table.c.run_id, table.c.asked_at, table.c.payload]
    return select(*columns).where(
        *_among(table), or_(lost, and_(table.c.run_id == bindparam("this_run"), table.c.order_ref.is_(None)))
    )


FIND = union_all(_find_answers(), _find_failures())
FIND_WITH_LOST = union_all(_find_answers(), _find_failures(), _find_lost())


def _find_ordered() -> Select[Any]:
    table = schema.lookup_questions
    ordered = and_(table.c.order_ref.is_not(None), table.c.asked_at >= bindparam("since"))
    columns = [table.c.number_key, table.c.realm, table.c.run_id, table.c.asked_at]
    return select(*columns).where(*_among(table), ordered)


FIND_ORDERED = _find_ordered()
"""Questions whose answers are still to come, by number; those older than ``since`` are waited for no longer."""

ORDERED_IN = select(schema.lookup_questions).where(
    schema.lookup_questions.c.realm == bindparam("in_realm"), schema.lookup_questions.c.order_ref.is_not(None)
)
"""All questions of a realm whose answers are still to come."""
