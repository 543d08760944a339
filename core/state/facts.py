"""The fact cache: paid answers and verdicts found in CRMs, encrypted, by keyed hash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, or_, select

from ..ports import Answer, AnswerKind
from . import schema
from .sql import in_batches, put
from .store import Store


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer from the cache: whose it is, and which run brought it."""

    realm: str
    run_id: str
    answer: Answer


class FactStore:
    """Answers by number and realm. A realm is a provider account, or an org whose companions told the verdict."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id

    def keep(self, realm: str, answers: Iterable[Answer]) -> None:
        """Store the answers durably, the newest for each number and realm."""
        with self._store.transaction() as connection:
            put(connection, schema.facts, [self._row(realm, answer) for answer in answers])

    def settle(self, realm: str, answer: Answer, mark: str) -> None:
        """Store an answer and take away the mark of its question, in one step."""
        with self._store.transaction() as connection:
            put(connection, schema.facts, [self._row(realm, answer)])
            self._forget(connection, mark, [answer.e164])

    def forget(self, realm: str, numbers: Iterable[str]) -> None:
        """Drop what is kept about the numbers in a realm."""
        with self._store.transaction() as connection:
            self._forget(connection, realm, numbers)

    def _forget(self, connection: Connection, realm: str, numbers: Iterable[str]) -> None:
        table = schema.facts
        keys = [self._store.keyring.number_key(number) for number in numbers]
        for some in in_batches(keys):
            connection.execute(delete(table).where(table.c.realm == realm, table.c.number_key.in_(some)))

    def find(self, numbers: Collection[str], realms: Sequence[str], since: datetime) -> dict[str, list[KeptAnswer]]:
        """Return these realms' answers about each E.164 number: observed since then, or brought by this run.

        A failure counts for the run that met it only: the next run asks again.
        """
        table, keyring = schema.facts, self._store.keyring
        by_key = {keyring.number_key(number): number for number in numbers}
        found: dict[str, list[KeptAnswer]] = {}
        with self._store.transaction() as connection:
            for keys in in_batches(list(by_key)):
                rows = connection.execute(
                    select(table).where(
                        table.c.number_key.in_(keys),
                        table.c.realm.in_(realms),
                        or_(
                            and_(table.c.observed_at >= since, table.c.kind != AnswerKind.FAILED.value),
                            table.c.run_id == self._run_id,
                        ),
                    )
                )
                for row in rows:
                    number = by_key[row.number_key]
                    answer = self._answer(number, AnswerKind(row.kind), row.observed_at, keyring.open(row.payload))
                    found.setdefault(number, []).append(KeptAnswer(row.realm, row.run_id, answer))
        return found

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
