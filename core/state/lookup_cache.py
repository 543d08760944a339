"""The fact cache: paid answers and verdicts found in CRMs, encrypted, by keyed hash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, delete, not_, or_, select, update

from ..model.answers import Answer, AnswerKind
from . import schema
from .journal import RunOutcome
from .sql import add_missing, in_batches, put
from .store import Store

ANSWER_WITHIN = timedelta(minutes=15)
"""How long a run that is under way may wait for an answer; a mark older than that stands for a lost one."""

ELSEWHERE = "asked elsewhere"
"""Code of the failure that stands for an answer which is on its way to another run."""

_BY_KEY = (schema.facts.c.number_key == bindparam("key"), schema.facts.c.realm == bindparam("realm"))
# Made once: each question and each answer goes through these, and making a statement takes longer than carrying it out.
_ONE = select(schema.facts).where(*_BY_KEY)
_DELETE_ONE = delete(schema.facts).where(*_BY_KEY)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer from the cache: whose it is, and which run brought it."""

    realm: str
    run_id: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether a question may go out: not where there is an answer ``instead``.

    ``before`` is the mark of an earlier question that lost its answer, where this one takes its place.
    """

    instead: Answer | None = None
    before: KeptAnswer | None = None


class LookupCache:
    """Answers by number and realm. A realm is a provider account, or an org whose companions told the verdict."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id

    def keep(self, realm: str, answers: Iterable[Answer]) -> None:
        """Store the answers durably, the newest for each number and realm."""
        with self._store.transaction() as connection:
            put(connection, schema.facts, [self._row(realm, answer) for answer in answers], newest="observed_at")

    def claim(self, mark: str, question: Answer, realm: str, since: datetime, *, again: bool) -> Claim:
        """Put the mark of a question on record, unless somebody is asking it, or has had its answer, meanwhile.

        An answer of the realm counts when it was observed since then; a lost one likewise, unless it is asked for
        ``again``. One that is on its way to another run is a failure that cost nothing.
        """
        with self._store.transaction() as connection:
            before = None
            if not add_missing(connection, schema.facts, [self._row(mark, question)]):
                before = self._kept(connection, mark, question.e164)
                if before is None or self._is_under_way(connection, before, question.observed_at):
                    return Claim(replace(question, kind=AnswerKind.FAILED, code=ELSEWHERE))
                if before.run_id == self._run_id or (before.answer.observed_at >= since and not again):
                    return Claim(before.answer)
                # Of two that take the place of one lost question, one finds it changed.
                if not self._replace(connection, before, question):
                    return Claim(replace(question, kind=AnswerKind.FAILED, code=ELSEWHERE))
            kept = self._kept(connection, realm, question.e164)
            if kept is not None and (kept.answer.observed_at >= since or kept.run_id == self._run_id):
                self._unmark(connection, mark, question.e164, before)
                return Claim(kept.answer)
        return Claim(before=before)

    def settle(self, realm: str, answer: Answer, mark: str, before: KeptAnswer | None = None) -> None:
        """Store an answer and take away the mark of its question, in one step; ``before`` as in :meth:`unmark`."""
        with self._store.transaction() as connection:
            put(connection, schema.facts, [self._row(realm, answer)])
            self._unmark(connection, mark, answer.e164, before)

    def unmark(self, mark: str, questions: Mapping[str, KeptAnswer | None]) -> None:
        """Take away the marks of numbers that were not asked about, and put back those that they had taken the place
        of.
        """
        with self._store.transaction() as connection:
            for number, before in questions.items():
                self._unmark(connection, mark, number, before)

    def find(
        self, numbers: Collection[str], realms: Sequence[str], since: datetime, now: datetime
    ) -> dict[str, list[KeptAnswer]]:
        """Return these realms' answers about each E.164 number: observed since then, or brought by this run.

        A failure counts for the run that met it only: the next run asks again. The mark of a question counts as a lost
        answer once its run can have none any more.
        """
        table, keyring = schema.facts, self._store.keyring
        by_key = {keyring.number_key(number): number for number in numbers}
        under_way = and_(
            table.c.kind == AnswerKind.LOST.value,
            table.c.observed_at > now - ANSWER_WITHIN,
            table.c.run_id.in_(select(schema.runs.c.id).where(schema.runs.c.outcome == RunOutcome.RUNNING.value)),
        )
        lasting = and_(table.c.observed_at >= since, table.c.kind != AnswerKind.FAILED.value, not_(under_way))
        found: dict[str, list[KeptAnswer]] = {}
        with self._store.transaction() as connection:
            for keys in in_batches(list(by_key)):
                rows = connection.execute(
                    select(table).where(
                        table.c.number_key.in_(keys),
                        table.c.realm.in_(realms),
                        or_(lasting, table.c.run_id == self._run_id),
                    )
                )
                for row in rows:
                    number = by_key[row.number_key]
                    answer = self._answer(number, AnswerKind(row.kind), row.observed_at, keyring.open(row.payload))
                    found.setdefault(number, []).append(KeptAnswer(row.realm, row.run_id, answer))
        return found

    def _kept(self, connection: Connection, realm: str, number: str) -> KeptAnswer | None:
        keyring = self._store.keyring
        row = connection.execute(_ONE, {"key": keyring.number_key(number), "realm": realm}).one_or_none()
        if row is None:
            return None
        answer = self._answer(number, AnswerKind(row.kind), row.observed_at, keyring.open(row.payload))
        return KeptAnswer(realm, row.run_id, answer)

    def _is_under_way(self, connection: Connection, held: KeptAnswer, now: datetime) -> bool:
        if held.run_id == self._run_id or held.answer.observed_at <= now - ANSWER_WITHIN:
            return False
        outcome = connection.scalar(select(schema.runs.c.outcome).where(schema.runs.c.id == held.run_id))
        return outcome == RunOutcome.RUNNING.value

    def _replace(self, connection: Connection, held: KeptAnswer, question: Answer) -> bool:
        table, row = schema.facts, self._row(held.realm, question)
        changed = connection.execute(
            update(table)
            .where(
                table.c.number_key == row["number_key"],
                table.c.realm == held.realm,
                table.c.run_id == held.run_id,
                table.c.observed_at == held.answer.observed_at,
            )
            .values(run_id=row["run_id"], observed_at=row["observed_at"])
        )
        return changed.rowcount == 1

    def _unmark(self, connection: Connection, mark: str, number: str, before: KeptAnswer | None) -> None:
        if before is not None:
            put(connection, schema.facts, [self._row(mark, before.answer) | {"run_id": before.run_id}])
            return
        connection.execute(_DELETE_ONE, {"key": self._store.keyring.number_key(number), "realm": mark})

    def _row(self, realm: str, answer: Answer) -> dict[str, object]:
        content = [answer.e164, answer.valid, answer.line, answer.line_type, answer.code]
        return {
            "number_key": self._store.keyring.number_key(answer.e164),
            "realm": realm,
            "kind": answer.kind.value,
            "run_id": self._run_id,
            "observed_at": answer.observed_at,
            "payload": self._store.keyring.seal(content),
        }

    @staticmethod
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
