"""All that the state holds about one number, for the person whose it is (a request for access)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from ..model.answers import Answer, AnswerKind
from ..model.blocks import Block, Entry
from ..model.values import Outcome
from ..numbers.traces import NumberTraces
from . import schema
from .answer_codec import decode_answer
from .asked_checks import find_asked
from .blocks import Blocks
from .consents import GivenBy, list_consents
from .erased import erased_since, texts_of
from .evidence import Evidence, latest_evidence, list_evidence
from .executions import find_executions
from .journal import JournalRow, read_changes
from .listings import Listings
from .lookup_history import list_history, source_of
from .lookup_rows import open_answer
from .review_queue import find_about
from .store import Store


class HeldFact(NamedTuple):
    """What somebody has answered about the number; ``kind`` tells an answer from a failure and from one that is lost.

    ``source`` is the provider, or ``crm`` for a verdict that was found in one.
    """

    source: str
    kind: str
    observed_at: datetime
    validity: str
    line: str | None
    line_type: str | None
    code: str


class HeldFlag(NamedTuple):
    """A record's opt-out flag that is about the number; ``state`` tells whose it is and whether it is up."""

    account: str
    object: str
    id: str
    channel: str
    state: str


class HeldReview(NamedTuple):
    """A question to a person about a record's flag, or about the number; ``resolution`` is empty while it waits."""

    account: str
    object: str
    id: str
    reason: str
    since: datetime
    resolution: str


class HeldExecution(NamedTuple):
    """A workflow's question about the number; ``id`` is the workflow's own, ``state`` what became of it."""

    account: str
    id: str
    at: datetime
    state: str


class HeldChange(NamedTuple):
    """A change that a run made, or tried to make, to a record that held the number."""

    run_id: str
    at: datetime
    account: str
    row: JournalRow

    @property
    def outcome(self) -> str:
        """Return what became of it."""
        return self.row.result.outcome.value if self.row.result else Outcome.LOST.value


class HeldAbout:
    """What one store holds about one E.164 number. Moments are UTC."""

    def __init__(self, store: Store, e164: str) -> None:
        self._store = store
        self._e164 = e164
        self._key = store.keyring.number_key(e164)
        self.traces = NumberTraces(e164)

    def erased_at(self) -> datetime | None:
        """Return when the number was erased; None where it was not."""
        with self._store.transaction() as connection:
            return erased_since(connection, self._store.keyring, self._e164)

    def facts(self) -> list[HeldFact]:
        """Return what providers and CRMs have answered, and what was asked in vain."""
        return [
            HeldFact(source, said.kind.value, said.observed_at, said.validity.value, *_told(said))
            for source, said in self.answers()
        ]

    def answers(self) -> list[tuple[str, Answer]]:
        """Return the same as answers, each with who gave it, the oldest first; a question without one is LOST."""
        answers, failures, questions = schema.lookup_answers, schema.lookup_failures, schema.lookup_questions
        with self._store.transaction() as connection:
            found = list_history(connection, self._store.keyring, self._e164)
            kept = {(source, said.observed_at) for source, said in found}
            for table, moment, fixed in (
                (answers, answers.c.observed_at, None),
                (failures, failures.c.failed_at, AnswerKind.FAILED),
                (questions, questions.c.asked_at, AnswerKind.LOST),
            ):
                for row in connection.execute(select(table).where(table.c.number_key == self._key)):
                    kind = fixed or AnswerKind(row.kind)
                    content = open_answer(self._store.keyring, kind, row)
                    said = decode_answer(self._e164, kind, getattr(row, moment.name), content)
                    if kind is not AnswerKind.KNOWN or (source_of(row.realm), said.observed_at) not in kept:
                        found.append((source_of(row.realm), said))
        return sorted(found, key=lambda each: each[1].observed_at)

    def entries(self) -> list[Entry]:
        """Return every entry of every suppression ledger, those that lift one included, the oldest first."""
        with self._store.transaction() as connection:
            found = [
                entry
                for ledger in self._ledgers(connection)
                for entry in Blocks(self._store.keyring, ledger).history(connection, self._e164)
            ]
        return sorted(found, key=lambda entry: entry.id)

    def listings(self) -> list[Block]:
        """Return the lists of registers that the number is on now."""
        with self._store.transaction() as connection:
            return [
                block
                for ledger in self._ledgers(connection)
                for block in Listings(self._store.keyring, ledger).find(connection, [self._e164]).get(self._e164, [])
            ]

    def flags(self) -> list[HeldFlag]:
        """Return the opt-out flags of records that are about the number, also those that are down again."""
        table = schema.opt_out_flags
        columns = (table.c.org_id, table.c.object, table.c.record_id, table.c.channel, table.c.state)
        query = select(*columns).where(table.c.number_key == self._key, table.c.org_id.in_(list(self._accounts)))
        with self._store.transaction() as connection:
            rows = connection.execute(query.order_by(table.c.org_id, table.c.object, table.c.record_id)).all()
        return [HeldFlag(self._accounts[row[0]], *row[1:]) for row in rows]

    def consents(self) -> list[GivenBy]:
        """Return the consent given on records that hold the number, as syncs have read it."""
        with self._store.transaction() as connection:
            return list(list_consents(connection, self._key))

    def reviews(self) -> list[HeldReview]:
        """Return what people were asked because of the number, the oldest first."""
        with self._store.transaction() as connection:
            rows = find_about(connection, self._store.keyring, self._e164)
        return [
            HeldReview(
                self._accounts.get(row.org_id, ""),
                row.object,
                row.record_id,
                row.reason,
                row.since,
                row.resolution or "",
            )
            for row in rows
        ]

    def executions(self) -> list[HeldExecution]:
        """Return what workflows have asked about the number, the oldest first."""
        with self._store.transaction() as connection:
            rows = find_executions(connection, self._store.keyring, self._e164)
        return [HeldExecution(row.org, row.callback_id, row.accepted_at, row.state) for row in rows]

    def evidence(self) -> list[Evidence]:
        """Return what vendors and diallers have told of the number, the oldest first."""
        with self._store.transaction() as connection:
            return list(list_evidence(connection, self._store.keyring, self._key))

    def latest_evidence(self, limit: int) -> list[Evidence]:
        """Return the latest of what vendors and diallers have told of the number, at most so much."""
        with self._store.transaction() as connection:
            return latest_evidence(connection, self._store.keyring, self._key, limit)

    def asked_at(self) -> datetime | None:
        """Return when a check of the number was asked for that waits still; None where none is."""
        with self._store.transaction() as connection:
            return find_asked(connection, self._key)

    def changes(self) -> Iterator[HeldChange]:
        """Yield the changes of all runs that hold the number, oldest first; every batch is opened for it."""
        for run in self._runs():
            for row in read_changes(self._store, run.id):
                said = [row.result.message] if row.result else []
                if any(self.traces.are_in(text) for text in (*texts_of(row.change), *said)):
                    yield HeldChange(run.id, run.started_at, self._accounts.get(run.org_id, run.crm), row)

    def _runs(self) -> Sequence[Any]:
        runs, batches = schema.runs, schema.batches
        has_changes = select(batches.c.run_id).where(batches.c.run_id == runs.c.id).exists()
        columns = (runs.c.id, runs.c.started_at, runs.c.org_id, runs.c.crm)
        with self._store.transaction() as connection:
            return connection.execute(select(*columns).where(has_changes).order_by(runs.c.started_at)).all()

    @cached_property
    def _accounts(self) -> Mapping[int, str]:
        with self._store.transaction() as connection:
            return {row.id: row.key for row in connection.execute(select(schema.orgs.c.id, schema.orgs.c.key))}

    @staticmethod
    def _ledgers(connection: Connection) -> list[str]:
        found: set[str] = set()
        for table in (schema.blocks, schema.list_versions):
            found.update(connection.scalars(select(table.c.ledger).distinct()).all())
        return sorted(found)


def _told(answer: Answer) -> tuple[str | None, str | None, str]:
    return answer.line, answer.line_type, answer.code
