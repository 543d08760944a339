"""The lookup cache: paid answers and verdicts found in CRMs, encrypted, found by the keyed hash of the number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, literal, not_, or_, select, union_all, update

from ..model.answers import Answer, AnswerKind
from . import schema
from .keyring import Keyring
from .run_history import RunOutcome
from .sql import in_batches, insert_missing, upsert
from .store import Store

ANSWER_WITHIN = timedelta(minutes=15)
"""How long a run that is under way may wait for an answer; the answer to an older question is lost."""

CRM_REALM = "crm"
"""First part of a realm that stands for an org whose own fresh companions are the answers."""

ELSEWHERE = "asked elsewhere"
"""Code of the failure that stands for an answer which is on its way to another run."""


def _one_of(table: Table) -> tuple[Any, Any]:
    return (table.c.number_key == bindparam("key"), table.c.realm == bindparam("in_realm"))


# Made once: each question and each answer goes through these, and making a statement takes longer than carrying it out.
_ONE_ANSWER = select(schema.lookup_answers).where(*_one_of(schema.lookup_answers))
_ONE_QUESTION = select(schema.lookup_questions).where(*_one_of(schema.lookup_questions))
_DELETE_QUESTION = delete(schema.lookup_questions).where(*_one_of(schema.lookup_questions))


def _among(table: Table) -> tuple[Any, Any]:
    return (
        table.c.number_key.in_(bindparam("number_keys", expanding=True)),
        table.c.realm.in_(bindparam("realms", expanding=True)),
    )


def _find_answers() -> Select[Any]:
    table = schema.lookup_answers
    counts = or_(table.c.observed_at >= bindparam("since"), table.c.run_id == bindparam("this_run"))
    columns = [table.c.number_key, table.c.realm, table.c.kind, table.c.run_id, table.c.observed_at, table.c.payload]
    return select(*columns).where(*_among(table), counts)


def _find_failures() -> Select[Any]:
    table, kind = schema.lookup_failures, literal(AnswerKind.FAILED.value)
    columns = [table.c.number_key, table.c.realm, kind, table.c.run_id, table.c.failed_at, table.c.payload]
    return select(*columns).where(*_among(table), table.c.run_id == bindparam("this_run"))


def _find_lost() -> Select[Any]:
    table, kind = schema.lookup_questions, literal(AnswerKind.LOST.value)
    running = select(schema.runs.c.id).where(schema.runs.c.outcome == RunOutcome.RUNNING.value)
    under_way = and_(table.c.asked_at > bindparam("answerable_since"), table.c.run_id.in_(running))
    lost = and_(table.c.asked_at >= bindparam("since"), not_(under_way))

    columns = [table.c.number_key, table.c.realm, kind, table.c.run_id, table.c.asked_at, table.c.payload]
    return select(*columns).where(*_among(table), or_(lost, table.c.run_id == bindparam("this_run")))


# Made once as well, for every batch of numbers is looked for.
_FIND = union_all(_find_answers(), _find_failures())
_FIND_WITH_LOST = union_all(_find_answers(), _find_failures(), _find_lost())


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer on record: the realm that gave it, and the run that brought it.

    Its kind is FAILED where it stands for a failure, LOST where it stands for a question without an answer.
    """

    realm: str
    run_id: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether a question may go out: not where there is an answer ``instead``.

    ``replaced`` is an earlier question whose answer was lost, where the new one has taken its place.
    """

    instead: Answer | None = None
    replaced: KeptAnswer | None = None


class LookupCache:
    """What one run knows and adds about numbers: answers, failures and open questions, by number and realm.

    A realm is the account of a provider at one host, or an org whose companions hold the verdict. No number is kept in
    the clear.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id

    def keep(self, realm: str, answers: Iterable[Answer]) -> None:
        """Store answers of the realm durably, the newest for each number."""
        rows = [self._answer_row(realm, answer) for answer in answers]
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_answers, rows, newest="observed_at")

    def keep_failures(self, realm: str, failures: Iterable[Answer]) -> None:
        """Record that the provider could not answer in this run. No answer is replaced by that."""
        rows = [self._failure_row(realm, failure) for failure in failures]
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_failures, rows)

    def claim(self, realm: str, question: Answer, since: datetime, *, again: bool) -> Claim:
        """Put a question to the provider on record before it goes out, unless it must not go out.

        It must not where an answer observed ``since`` then has come meanwhile, where one was lost since then (unless
        it is asked ``again``), or where another run waits for one: that comes as a failure that cost nothing.
        """
        with self._store.transaction() as connection:
            replaced = None
            if not insert_missing(connection, schema.lookup_questions, [self._question_row(realm, question)]):
                replaced = self._find_question(connection, realm, question.e164)
                if replaced is None or self._is_under_way(connection, replaced, question.observed_at):
                    return Claim(_asked_elsewhere(question))
                if replaced.run_id == self._run_id or (replaced.answer.observed_at >= since and not again):
                    return Claim(replaced.answer)
                # Of two runs that replace one lost question, the second finds it changed.
                if not self._replace_question(connection, replaced, question):
                    return Claim(_asked_elsewhere(question))

            known = self._find_answer(connection, realm, question.e164)
            if known is not None and (known.answer.observed_at >= since or known.run_id == self._run_id):
                self._close_question(connection, realm, question.e164, replaced)
                return Claim(known.answer)
        return Claim(replaced=replaced)

    def record_answer(self, realm: str, answer: Answer) -> None:
        """Store an answer and close its question, in one step."""
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_answers, [self._answer_row(realm, answer)])
            self._close_question(connection, realm, answer.e164, None)

    def record_failure(self, realm: str, failure: Answer, replaced: KeptAnswer | None) -> None:
        """Store a failure and close its question, in one step; a lost question that it had ``replaced`` is put back."""
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_failures, [self._failure_row(realm, failure)])
            self._close_question(connection, realm, failure.e164, replaced)

    def withdraw_questions(self, realm: str, questions: Mapping[str, KeptAnswer | None]) -> None:
        """Close questions that never went out: E.164 number -> the lost question to put back, where it replaced one."""
        with self._store.transaction() as connection:
            # In one order, so that two runs never wait for each other in a circle.
            for number, replaced in sorted(questions.items(), key=lambda item: self._store.keyring.number_key(item[0])):
                self._close_question(connection, realm, number, replaced)

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
        fixed = {"realms": realms, "since": since, "answerable_since": now - ANSWER_WITHIN, "this_run": self._run_id}
        statement = _FIND_WITH_LOST if with_lost else _FIND
        found: dict[str, list[KeptAnswer]] = {}

        with self._store.transaction() as connection:
            for keys in in_batches(list(by_key)):
                for row in connection.execute(statement, {**fixed, "number_keys": keys}):
                    number = by_key[row.number_key]
                    answer = _answer(number, AnswerKind(row.kind), row.observed_at, _open(keyring, row))
                    found.setdefault(number, []).append(KeptAnswer(row.realm, row.run_id, answer))
        return found

    def _find_answer(self, connection: Connection, realm: str, number: str) -> KeptAnswer | None:
        keyring = self._store.keyring
        row = connection.execute(_ONE_ANSWER, {"key": keyring.number_key(number), "in_realm": realm}).one_or_none()
        if row is None:
            return None
        answer = _answer(number, AnswerKind(row.kind), row.observed_at, _open(keyring, row))
        return KeptAnswer(realm, row.run_id, answer)

    def _find_question(self, connection: Connection, realm: str, number: str) -> KeptAnswer | None:
        keyring = self._store.keyring
        row = connection.execute(_ONE_QUESTION, {"key": keyring.number_key(number), "in_realm": realm}).one_or_none()
        if row is None:
            return None
        answer = _answer(number, AnswerKind.LOST, row.asked_at, _open(keyring, row))
        return KeptAnswer(realm, row.run_id, answer)

    def _is_under_way(self, connection: Connection, question: KeptAnswer, now: datetime) -> bool:
        if question.run_id == self._run_id or question.answer.observed_at <= now - ANSWER_WITHIN:
            return False
        outcome = connection.scalar(select(schema.runs.c.outcome).where(schema.runs.c.id == question.run_id))
        return outcome == RunOutcome.RUNNING.value

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
            .values(run_id=row["run_id"], asked_at=row["asked_at"])
        )
        return changed.rowcount == 1

    def _close_question(self, connection: Connection, realm: str, number: str, replaced: KeptAnswer | None) -> None:
        """Delete a question; where it had ``replaced`` a lost one, that takes its place again."""
        if replaced is not None:
            row = self._question_row(realm, replaced.answer) | {"run_id": replaced.run_id}
            upsert(connection, schema.lookup_questions, [row])
            return
        connection.execute(_DELETE_QUESTION, {"key": self._store.keyring.number_key(number), "in_realm": realm})

    def _answer_row(self, realm: str, answer: Answer) -> dict[str, object]:
        return {**self._row(realm, answer), "kind": answer.kind.value, "observed_at": answer.observed_at}

    def _failure_row(self, realm: str, failure: Answer) -> dict[str, object]:
        return {**self._row(realm, failure), "failed_at": failure.observed_at}

    def _question_row(self, realm: str, question: Answer) -> dict[str, object]:
        return {**self._row(realm, question), "asked_at": question.observed_at}

    def _row(self, realm: str, answer: Answer) -> dict[str, object]:
        content = [answer.e164, answer.valid, answer.line, answer.line_type, answer.code]
        number_key = self._store.keyring.number_key(answer.e164)
        return {
            "number_key": number_key,
            "realm": realm,
            "run_id": self._run_id,
            "payload": self._store.keyring.seal(content, _about(number_key, realm)),
        }


def _open(keyring: Keyring, row: Any) -> Any:
    return keyring.open(row.payload, _about(row.number_key, row.realm))


def _about(number_key: bytes, realm: str) -> bytes:
    """Return what a payload is bound to, so that the answer to another number cannot take its place."""
    return b"answer about " + number_key + realm.encode()


def _asked_elsewhere(question: Answer) -> Answer:
    return replace(question, kind=AnswerKind.FAILED, code=ELSEWHERE)


def _answer(number: str, kind: AnswerKind, observed_at: datetime, content: list[object]) -> Answer:
    _, valid, line, line_type, code = content
    return Answer(
        e164=number,
        kind=kind,
        observed_at=observed_at,
        valid=valid if isinstance(valid, bool) else None,
        line=line if isinstance(line, str) else None,
        line_type=line_type if isinstance(line_type, str) else None,
        code=str(code),
        paid=False,
    )
