"""The lookup cache: paid answers and verdicts found in CRMs, encrypted, found by the keyed hash of the number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from ..model.answers import Answer, AnswerKind, Order
from ..model.caps import NO_CAPS, CapReached, Caps
from ..model.run_outcome import RunOutcome
from . import schema
from .answer_codec import decode_answer, encode_answer
from .erased import find_erased
from .keyring import Keyring
from .lookup_statements import (
    DELETE_QUESTION,
    FIND,
    FIND_ORDERED,
    FIND_WITH_LOST,
    ONE_ANSWER,
    ONE_QUESTION,
    ORDERED_IN,
    PART_OF,
)
from .spending import Purse, Reserved
from .sql import in_batches, insert_missing, upsert
from .store import Store

ANSWER_WITHIN = timedelta(minutes=15)
"""How long a run that is under way may wait for an answer; the answer to an older question is lost."""

CRM_REALM = "crm"
"""First part of a realm that stands for an org whose own fresh companions are the answers."""


def crm_realm(org_key: str) -> str:
    """Return the realm of an org's own fresh companions, by the org's key."""
    return f"{CRM_REALM}:{org_key}"


ELSEWHERE = "asked elsewhere"
"""Code of the failure that stands for an answer which is on its way to another run."""

BESIDE = "asked beside"
"""The same where it is on its way to another part of this run, which asks again for what its parts have left."""


ORDERED = "ordered"
"""Code of what stands for an answer that a provider has promised for later."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer on record: the realm that gave it, and the run that brought it.

    Its kind is FAILED where it stands for a failure, LOST where it stands for a question without an answer, and PENDING
    where the provider has taken the question and answers later.
    """

    realm: str
    run_id: str
    answer: Answer


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


class LookupCache:
    """What one run knows and adds about numbers: answers, failures and open questions, by number and realm.

    A realm is the account of a provider at one host, or an org whose companions hold the verdict. No number is kept in
    the clear. ``caps`` hold for what the run asks, together with all that others ask. A ``part`` of a run asks by
    itself, beside others of the same run, but under the caps of the run.
    """

    def __init__(self, store: Store, run_id: str, caps: Caps = NO_CAPS, *, part: int | None = None) -> None:
        self.purse = Purse(run_id, caps)
        self._store = store
        self._run_id = run_id if part is None else f"{run_id}{PART_OF}{part}"

    def keep(self, realm: str, answers: Iterable[Answer]) -> None:
        """Store answers of the realm durably, the newest for each number; none about one that was erased."""
        kept = list(answers)
        erased = find_erased(self._store, {answer.e164 for answer in kept})
        rows = [self._answer_row(realm, answer) for answer in kept if answer.e164 not in erased]
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_answers, rows, newest="observed_at")

    def keep_failures(self, realm: str, failures: Iterable[Answer]) -> None:
        """Record that the provider could not answer in this run. No answer is replaced by that."""
        rows = [self._failure_row(realm, failure) for failure in failures]
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_failures, rows)

    def count_bought(self) -> dict[str, int]:
        """Return realm -> how many answers this run, or this part of one, has brought that are on record still."""
        table = schema.lookup_answers
        query = select(table.c.realm, func.count().label("answers")).where(table.c.run_id == self._run_id)
        with self._store.transaction() as connection:
            return {row.realm: row.answers for row in connection.execute(query.group_by(table.c.realm))}

    def left(self, price: float, now: datetime) -> tuple[int, CapReached] | None:
        """Return how many lookups at that price a run that begins now may buy, and the cap that it meets then."""
        with self._store.transaction() as connection:
            return self.purse.left(connection, price, now)

    def claim(
        self, realm: str, questions: Sequence[Answer], since: datetime, *, again: bool, price: float = 0.0
    ) -> list[Claim]:
        """Put questions to the provider on record before they go out, in one step; return the claim of each, in order.

        Each is about another number. One must not go out where an answer observed ``since`` then has come meanwhile,
        where one was lost since then (unless it is asked ``again``), or where another run waits for one: that comes as
        a failure that cost nothing. Nor where a cap has no room for its ``price``; else it counts as spent from now on.
        """
        # In one order, and the spending after all of them, so that two processes never wait for each other in a circle.
        number_key = self._store.keyring.number_key
        in_order = sorted(range(len(questions)), key=lambda place: number_key(questions[place].e164))
        claims = dict[int, Claim]()
        with self._store.transaction() as connection:
            for place in in_order:
                claims[place] = self._enter(connection, realm, questions[place], since, again=again)
            for place, question in enumerate(questions):
                if claims[place].instead is None:
                    claims[place] = self._reserve(connection, realm, question, claims[place], price)
        return [claims[place] for place in range(len(questions))]

    def _enter(self, connection: Connection, realm: str, question: Answer, since: datetime, *, again: bool) -> Claim:
        """Put one question on record, unless it must not go out."""
        replaced = None
        if not insert_missing(connection, schema.lookup_questions, [self._question_row(realm, question)]):
            replaced = self._find_question(connection, realm, question.e164)
            ordered = self._find_ordered(connection, realm, question.e164, since)
            if ordered and not again:
                return Claim(replace(question, kind=AnswerKind.PENDING, code=ORDERED))
            if replaced is None or self._is_under_way(connection, replaced, question.observed_at):
                return Claim(self._elsewhere(question, replaced))
            if replaced.run_id == self._run_id or (replaced.answer.observed_at >= since and not again):
                return Claim(replaced.answer)
            # Of two runs that replace one lost question, the second finds it changed.
            if not self._replace_question(connection, replaced, question):
                return Claim(self._elsewhere(question, replaced))

        known = self._find_answer(connection, realm, question.e164)
        if known is not None and (known.answer.observed_at >= since or known.run_id == self._run_id):
            self._close_question(connection, realm, question.e164, replaced)
            return Claim(known.answer)
        return Claim(replaced=replaced)

    def _reserve(self, connection: Connection, realm: str, question: Answer, claim: Claim, price: float) -> Claim:
        """Count a question that is on record as spent; take it off the record again where a cap has no room for it."""
        spent = self.purse.reserve(connection, price, question.observed_at)
        if isinstance(spent, CapReached):
            self._close_question(connection, realm, question.e164, claim.replaced)
            return Claim(reached=spent)
        return replace(claim, reserved=spent)

    def record_answer(self, realm: str, answer: Answer, claim: Claim | None = None) -> None:
        """Store an answer and close its question, in one step; what it turned out not to cost is given back."""
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_answers, [self._answer_row(realm, answer)])
            self._close_question(connection, realm, answer.e164, None)
            self._settle(connection, answer, claim)

    def record_failure(self, realm: str, failure: Answer, claim: Claim | None) -> None:
        """Store a failure and close its question, in one step; a lost question that it had replaced is put back."""
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_failures, [self._failure_row(realm, failure)])
            self._close_question(connection, realm, failure.e164, claim.replaced if claim else None)
            self._settle(connection, failure, claim)

    def record_order(self, realm: str, order: Order) -> None:
        """Record that the provider has taken questions and answers later: they are neither lost nor asked again."""
        table, keyring = schema.lookup_questions, self._store.keyring
        with self._store.transaction() as connection:
            for keys in in_batches(sorted(keyring.number_key(number) for number in order.numbers)):
                theirs = (table.c.realm == realm, table.c.number_key.in_(keys))
                connection.execute(update(table).where(*theirs).values(order_ref=order.reference))

    def open_orders(self, realm: str) -> list[Order]:
        """Return the orders at a realm whose answers are still to come, each with the numbers that are left of it."""
        numbers: dict[str, list[str]] = {}
        with self._store.transaction() as connection:
            for row in connection.execute(ORDERED_IN, {"in_realm": realm}):
                content = open_answer(self._store.keyring, AnswerKind.LOST, row)
                numbers.setdefault(row.order_ref, []).append(content[0])
        return [Order(reference, tuple(sorted(theirs))) for reference, theirs in sorted(numbers.items())]

    def give_up_order(self, realm: str, number: str) -> None:
        """Record that an order brings no answer about an E.164 number: its question counts as lost."""
        table, key = schema.lookup_questions, self._store.keyring.number_key(number)
        with self._store.transaction() as connection:
            theirs = (table.c.realm == realm, table.c.number_key == key)
            connection.execute(update(table).where(*theirs).values(order_ref=None))

    def withdraw_questions(self, realm: str, questions: Mapping[str, Claim]) -> None:
        """Close questions that never went out: E.164 number -> its claim. They cost nothing."""
        with self._store.transaction() as connection:
            # In one order, so that two runs never wait for each other in a circle.
            for number, claim in sorted(questions.items(), key=lambda item: self._store.keyring.number_key(item[0])):
                self._close_question(connection, realm, number, claim.replaced)
            self.purse.give_back(connection, [each.reserved for each in questions.values() if each.reserved])

    def _settle(self, connection: Connection, answer: Answer, claim: Claim | None) -> None:
        if claim is not None and claim.reserved is not None and not answer.paid:
            self.purse.give_back(connection, [claim.reserved])

    def find(
        self,
        numbers: Collection[str],
        realms: Sequence[str],
        since: datetime,
        now: datetime,
        *,
        with_lost: bool = True,
    ) -> dict[str, list[KeptAnswer]]:
        """Return what these realms have on record about each E.164 number: observed since then, or brought by this run.

        A failure counts for the run that met it only: the next run asks again. An open question comes as a LOST answer
        once its run can have none any more; ``with_lost`` False leaves those out. ``now`` is UTC.
        """
        keyring = self._store.keyring
        by_key = {keyring.number_key(number): number for number in numbers}
        fixed = {"realms": realms, "since": since, "answerable_since": now - ANSWER_WITHIN}
        fixed |= {"this_run": self._run_id, "parts_of_it": f"{self._run_id}{PART_OF}%"}
        statement = FIND_WITH_LOST if with_lost else FIND
        found: dict[str, list[KeptAnswer]] = {}

        with self._store.transaction() as connection:
            for keys in in_batches(list(by_key)):
                for row in connection.execute(FIND_ORDERED, {**fixed, "number_keys": keys}):
                    promised = Answer(
                        by_key[row.number_key], AnswerKind.PENDING, row.asked_at, code=ORDERED, paid=False
                    )
                    found.setdefault(promised.e164, []).append(KeptAnswer(row.realm, row.run_id, promised))
                for row in connection.execute(statement, {**fixed, "number_keys": keys}):
                    number, kind = by_key[row.number_key], AnswerKind(row.kind)
                    answer = decode_answer(number, kind, row.observed_at, open_answer(keyring, kind, row))
                    found.setdefault(number, []).append(KeptAnswer(row.realm, row.run_id, answer))
        return found

    def _find_answer(self, connection: Connection, realm: str, number: str) -> KeptAnswer | None:
        keyring = self._store.keyring
        row = connection.execute(ONE_ANSWER, {"key": keyring.number_key(number), "in_realm": realm}).one_or_none()
        if row is None:
            return None
        kind = AnswerKind(row.kind)
        answer = decode_answer(number, kind, row.observed_at, open_answer(keyring, kind, row))
        return KeptAnswer(realm, row.run_id, answer)

    def _find_question(self, connection: Connection, realm: str, number: str) -> KeptAnswer | None:
        keyring = self._store.keyring
        row = connection.execute(ONE_QUESTION, {"key": keyring.number_key(number), "in_realm": realm}).one_or_none()
        if row is None:
            return None
        answer = decode_answer(number, AnswerKind.LOST, row.asked_at, open_answer(keyring, AnswerKind.LOST, row))
        return KeptAnswer(realm, row.run_id, answer)

    def _find_ordered(self, connection: Connection, realm: str, number: str, since: datetime) -> bool:
        """Return whether an answer about the number was promised for later, and is still to be waited for."""
        row = connection.execute(
            ONE_QUESTION, {"key": self._store.keyring.number_key(number), "in_realm": realm}
        ).one_or_none()
        return row is not None and row.order_ref is not None and row.asked_at >= since

    def _is_under_way(self, connection: Connection, question: KeptAnswer, now: datetime) -> bool:
        if question.run_id == self._run_id or question.answer.observed_at <= now - ANSWER_WITHIN:
            return False
        run_id, _, part = question.run_id.partition(PART_OF)
        outcome = connection.scalar(select(schema.runs.c.outcome).where(schema.runs.c.id == run_id))
        if outcome != RunOutcome.RUNNING.value:
            return False
        # Whoever asked in a part at which nobody works any more has died, or has given it back with all its answers.
        return not part or _is_held(connection, run_id, int(part))

    def _elsewhere(self, question: Answer, asked: KeptAnswer | None) -> Answer:
        """Return what stands for an answer that is on its way to somebody else."""
        run_id = self._run_id.partition(PART_OF)[0]
        of_this_run = run_id != self._run_id or (asked is not None and asked.run_id.partition(PART_OF)[0] == run_id)
        return replace(question, kind=AnswerKind.FAILED, code=BESIDE if of_this_run else ELSEWHERE)

    def _replace_question(self, connection: Connection, lost: KeptAnswer, question: Answer) -> bool:
        """Put the question in the place of one that lost its answer; return False where that has changed meanwhile."""
        table, row = schema.lookup_questions, self._question_row(lost.realm, question)

        changed = connection.execute(
            update(table)
            .where(
                table.c.number_key == row["number_key"],
                table.c.realm == lost.realm,
                table.c.run_id == lost.run_id,
                table.c.asked_at == lost.answer.observed_at,
            )
            .values(run_id=row["run_id"], asked_at=row["asked_at"], order_ref=None)
        )
        return changed.rowcount == 1

    def _close_question(self, connection: Connection, realm: str, number: str, replaced: KeptAnswer | None) -> None:
        """Delete a question; where it had ``replaced`` a lost one, that takes its place again."""
        if replaced is not None:
            row = self._question_row(realm, replaced.answer) | {"run_id": replaced.run_id}
            upsert(connection, schema.lookup_questions, [row])
            return
        connection.execute(DELETE_QUESTION, {"key": self._store.keyring.number_key(number), "in_realm": realm})

    def _answer_row(self, realm: str, answer: Answer) -> dict[str, object]:
        row = self._row(realm, answer, answer.kind)
        return {**row, "kind": answer.kind.value, "observed_at": answer.observed_at}

    def _failure_row(self, realm: str, failure: Answer) -> dict[str, object]:
        return {**self._row(realm, failure, AnswerKind.FAILED), "failed_at": failure.observed_at}

    def _question_row(self, realm: str, question: Answer) -> dict[str, object]:
        return {**self._row(realm, question, AnswerKind.LOST), "asked_at": question.observed_at}

    def _row(self, realm: str, answer: Answer, kind: AnswerKind) -> dict[str, object]:
        number_key = self._store.keyring.number_key(answer.e164)
        return {
            "number_key": number_key,
            "realm": realm,
            "run_id": self._run_id,
            "payload": self._store.keyring.seal(encode_answer(answer), answer_about(kind, number_key, realm)),
        }


def open_answer(keyring: Keyring, kind: AnswerKind, row: Any) -> Any:
    """Return what a row holds about its number: number, valid, line, line type and code.

    ``kind`` is that of an answer, FAILED of a failure, LOST of a question.
    """
    about = answer_about(kind, row.number_key, row.realm)
    return keyring.open(row.payload, about, answer_about(None, row.number_key, row.realm))


def answer_about(kind: AnswerKind | None, number_key: bytes, realm: str) -> bytes:
    """Return what a payload is bound to, so that no other answer, failure or question can take its place.

    A failure is FAILED, a question LOST; None: as it was bound before the kind was a part of it.
    """
    return b"answer about " + number_key + realm.encode() + (b"" if kind is None else b" " + kind.value.encode())


def _is_held(connection: Connection, run_id: str, part: int) -> bool:
    table = schema.run_parts
    held = table.c.holder.is_not(None)
    asked = select(table.c.part).where(table.c.run_id == run_id, table.c.part == part, held)
    return connection.scalar(asked) is not None
