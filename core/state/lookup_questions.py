"""The questions to providers that are on record: from before they go out until their answers are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from ..model.answers import Answer, AnswerKind, Order
from ..model.caps import CapReached
from ..model.run_outcome import RunOutcome
from . import schema
from .answer_codec import decode_answer
from .kept_answers import BESIDE, ELSEWHERE, ORDERED, KeptAnswer, find_answer
from .keyring import Keyring
from .lookup_rows import LookupRows, open_answer
from .lookup_statements import DELETE_QUESTION, ONE_QUESTION, ORDERED_IN, PART_OF
from .spending import Reserved
from .sql import in_batches, insert_missing, upsert

_Table = schema.lookup_questions

ANSWER_WITHIN = timedelta(minutes=15)
"""How long a run that is under way may wait for an answer; the answer to an older question is lost."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether a question may go out: not where there is an answer ``instead``, or a cap is ``reached``.

    ``replaced`` is an earlier question whose answer was lost, where the new one has taken its place; ``reserved`` is
    what the question counts as in the spending.
    """

    instead: Answer | None = None
    replaced: KeptAnswer | None = None
    reserved: Reserved | None = None
    reached: CapReached | None = None


class OpenQuestions:
    """The questions of one run, or of a part of one, by number and realm; ``rows`` name the run.

    Each method works in the caller's transaction.
    """

    def __init__(self, keyring: Keyring, rows: LookupRows) -> None:
        self._keyring = keyring
        self._rows = rows

    def enter(
        self, connection: Connection, realm: str, question: Answer, since: datetime, least: datetime, *, again: bool
    ) -> Claim:
        """Put one question on record, unless it must not go out.

        An answer counts that was observed at ``least`` or later, an open question that was asked ``since`` then.
        """
        replaced = None
        if not insert_missing(connection, _Table, [self._rows.of_question(realm, question)]):
            replaced = self._find_question(connection, realm, question.e164)
            ordered = self._find_ordered(connection, realm, question.e164, since)
            if ordered and not again:
                return Claim(replace(question, kind=AnswerKind.PENDING, code=ORDERED))
            if replaced is None or self._is_under_way(connection, replaced, question.observed_at):
                return Claim(self._elsewhere(question, replaced))
            if replaced.run_id == self._rows.run_id or (replaced.answer.observed_at >= since and not again):
                return Claim(replaced.answer)
            # Of two runs that replace one lost question, the second finds it changed.
            if not self._replace_question(connection, replaced, question):
                return Claim(self._elsewhere(question, replaced))

        known = find_answer(connection, self._keyring, realm, question.e164)
        if known is not None and (known.answer.observed_at >= least or known.run_id == self._rows.run_id):
            self.close(connection, realm, question.e164, replaced)
            return Claim(known.answer)
        return Claim(replaced=replaced)

    def close(self, connection: Connection, realm: str, number: str, replaced: KeptAnswer | None) -> None:
        """Delete a question; where it had ``replaced`` a lost one, that takes its place again."""
        if replaced is not None:
            row = self._rows.of_question(realm, replaced.answer) | {"run_id": replaced.run_id}
            upsert(connection, _Table, [row])
            return
        connection.execute(DELETE_QUESTION, {"key": self._keyring.number_key(number), "in_realm": realm})

    def close_all(self, connection: Connection, realm: str, numbers: Sequence[str]) -> None:
        """Delete the questions about these numbers: they are answered."""
        keys = [{"key": self._keyring.number_key(number), "in_realm": realm} for number in numbers]
        connection.execute(DELETE_QUESTION, keys)

    def take_order(self, connection: Connection, realm: str, order: Order) -> None:
        """Record that the provider has taken questions and answers later: they are neither lost nor asked again."""
        for keys in in_batches(sorted(self._keyring.number_key(number) for number in order.numbers)):
            theirs = (_Table.c.realm == realm, _Table.c.number_key.in_(keys))
            connection.execute(update(_Table).where(*theirs).values(order_ref=order.reference))

    def list_orders(self, connection: Connection, realm: str) -> list[Order]:
        """Return the orders at a realm whose answers are still to come, each with the numbers that are left of it."""
        numbers: dict[str, list[str]] = {}
        for row in connection.execute(ORDERED_IN, {"in_realm": realm}):
            content = open_answer(self._keyring, AnswerKind.LOST, row)
            numbers.setdefault(row.order_ref, []).append(content[0])
        return [Order(reference, tuple(sorted(theirs))) for reference, theirs in sorted(numbers.items())]

    def give_up_order(self, connection: Connection, realm: str, number: str) -> None:
        """Record that an order brings no answer about an E.164 number: its question counts as lost."""
        theirs = (_Table.c.realm == realm, _Table.c.number_key == self._keyring.number_key(number))
        connection.execute(update(_Table).where(*theirs).values(order_ref=None))

    def _find_question(self, connection: Connection, realm: str, number: str) -> KeptAnswer | None:
        keyring = self._keyring
        row = connection.execute(ONE_QUESTION, {"key": keyring.number_key(number), "in_realm": realm}).one_or_none()
        if row is None:
            return None
        answer = decode_answer(number, AnswerKind.LOST, row.asked_at, open_answer(keyring, AnswerKind.LOST, row))
        return KeptAnswer(realm, row.run_id, answer)

    def _find_ordered(self, connection: Connection, realm: str, number: str, since: datetime) -> bool:
        """Return whether an answer about the number was promised for later, and is still to be waited for."""
        row = connection.execute(
            ONE_QUESTION, {"key": self._keyring.number_key(number), "in_realm": realm}
        ).one_or_none()
        return row is not None and row.order_ref is not None and row.asked_at >= since

    def _is_under_way(self, connection: Connection, question: KeptAnswer, now: datetime) -> bool:
        if question.run_id == self._rows.run_id or question.answer.observed_at <= now - ANSWER_WITHIN:
            return False
        run_id, _, part = question.run_id.partition(PART_OF)
        outcome = connection.scalar(select(schema.runs.c.outcome).where(schema.runs.c.id == run_id))
        if outcome != RunOutcome.RUNNING.value:
            return False
        # Whoever asked in a part at which nobody works any more has died, or has given it back with all its answers.
        return not part or _is_held(connection, run_id, int(part))

    def _elsewhere(self, question: Answer, asked: KeptAnswer | None) -> Answer:
        """Return what stands for an answer that is on its way to somebody else."""
        ours = self._rows.run_id
        run_id = ours.partition(PART_OF)[0]
        of_this_run = run_id != ours or (asked is not None and asked.run_id.partition(PART_OF)[0] == run_id)
        return replace(question, kind=AnswerKind.FAILED, code=BESIDE if of_this_run else ELSEWHERE)

    def _replace_question(self, connection: Connection, lost: KeptAnswer, question: Answer) -> bool:
        """Put the question in the place of one that lost its answer; return False where that has changed meanwhile."""
        row = self._rows.of_question(lost.realm, question)

        changed = connection.execute(
            update(_Table)
            .where(
                _Table.c.number_key == row["number_key"],
                _Table.c.realm == lost.realm,
                _Table.c.run_id == lost.run_id,
                _Table.c.asked_at == lost.answer.observed_at,
            )
            .values(run_id=row["run_id"], asked_at=row["asked_at"], order_ref=None)
        )
        return changed.rowcount == 1


def _is_held(connection: Connection, run_id: str, part: int) -> bool:
    table = schema.run_parts
    held = table.c.holder.is_not(None)
    asked = select(table.c.part).where(table.c.run_id == run_id, table.c.part == part, held)
    return connection.scalar(asked) is not None
