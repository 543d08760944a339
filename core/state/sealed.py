"""What of the state is sealed under the encryption key, and what each payload is bound to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Column, Table

from ..model.answers import AnswerKind
from . import schema
from .asked_checks import check_about
from .blocks import entry_about
from .evidence import evidence_about
from .executions import execution_about
from .journal import changes_of, results_of
from .lookup_rows import answer_about, history_about
from .number_signs import signs_about
from .review_queue import item_about


class SealedColumn(NamedTuple):
    """A column of payloads; ``about`` tells from a row what its payload is bound to.

    ``before`` tells what it was bound to before payloads named their key, where that is not the same.
    """

    column: Column[Any]
    about: Callable[[Any], bytes]
    before: Callable[[Any], bytes] | None = None

    @property
    def table(self) -> Table:
        """Return the column's table."""
        table = self.column.table
        assert isinstance(table, Table)  # noqa: S101 - for the type checker
        return table


def _unnamed(row: Any) -> bytes:
    return answer_about(None, bytes(row.number_key), row.realm)


SEALED: tuple[SealedColumn, ...] = (
    SealedColumn(schema.asked_checks.c.payload, lambda row: check_about(bytes(row.number_key))),
    SealedColumn(schema.blocks.c.payload, lambda row: entry_about(row._mapping)),
    SealedColumn(schema.executions.c.payload, lambda row: execution_about(row._mapping)),
    SealedColumn(
        schema.lookup_answers.c.payload,
        lambda row: answer_about(AnswerKind(row.kind), bytes(row.number_key), row.realm),
        _unnamed,
    ),
    SealedColumn(
        schema.lookup_failures.c.payload,
        lambda row: answer_about(AnswerKind.FAILED, bytes(row.number_key), row.realm),
        _unnamed,
    ),
    SealedColumn(
        schema.lookup_history.c.payload,
        lambda row: history_about(bytes(row.number_key), row.realm, row.observed_at),
    ),
    SealedColumn(
        schema.lookup_questions.c.payload,
        lambda row: answer_about(AnswerKind.LOST, bytes(row.number_key), row.realm),
        _unnamed,
    ),
    SealedColumn(schema.evidence.c.payload, lambda row: evidence_about(row._mapping)),
    SealedColumn(schema.number_signs.c.payload, lambda row: signs_about(row.ledger, bytes(row.number_key))),
    SealedColumn(schema.review_items.c.payload, lambda row: item_about(row._mapping)),
    SealedColumn(schema.batches.c.payload, lambda row: changes_of(row.run_id, row.seq)),
    SealedColumn(schema.batches.c.results, lambda row: results_of(row.run_id, row.seq)),
)
"""Every column of payloads. The hash key and the head of the audit log, among the secrets, are sealed apart."""
