"""The lookup cache: paid answers and verdicts found in CRMs, encrypted, found by the keyed hash of the number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from ..decisions.weighing import replaces
from ..model.answers import Answer, AnswerKind, Order
from ..model.caps import NO_CAPS, CapReached, Caps
from ..model.charges import find_charge
from . import schema
from .answer_codec import decode_answer
from .erased import find_erased
from .kept_answers import ORDERED, KeptAnswer, find_answers
from .lookup_history import DoubtWatch, LookupHistory
from .lookup_questions import ANSWER_WITHIN, Claim, OpenQuestions
from .lookup_rows import LookupRows, open_answer
from .lookup_statements import (
    FIND,
    FIND_ORDERED,
    FIND_WITH_LOST,
    KEEP_ANSWER,
    PART_OF,
)
from .spending import Purse
from .sql import in_batches, upsert
from .store import Store

CRM_REALM = "crm"
"""First part of a realm that stands for an org whose own fresh companions are the answers."""


def crm_realm(org_key: str) -> str:
    """Return the realm of an org's own fresh companions, by the org's key."""
    return f"{CRM_REALM}:{org_key}"


class LookupCache:
    """What one run knows and adds about numbers: answers, failures and open questions, by number and realm.

    A realm is the account of a provider at one host, or an org whose companions hold the verdict. No number is kept in
    the clear. ``caps`` hold for what the run asks, together with all that others ask. A ``part`` of a run asks by
    itself, beside others of the same run, but under the caps of the run. ``watch`` asks people about
    answers that leave a doubt; without it nobody is asked.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        caps: Caps = NO_CAPS,
        *,
        part: int | None = None,
        watch: DoubtWatch | None = None,
    ) -> None:
        self.purse = Purse(run_id, caps)
        self._store = store
        self.run_id = run_id if part is None else f"{run_id}{PART_OF}{part}"
        self._rows = LookupRows(store.keyring, self.run_id)
        self._questions = OpenQuestions(store.keyring, self._rows)
        self._history = LookupHistory(store.keyring, self._rows, watch)

    def keep(self, realm: str, answers: Iterable[Answer]) -> None:
        """Store answers of the realm durably, the newest for each number; none about one that was erased."""
        kept = list(answers)
        erased = find_erased(self._store, {answer.e164 for answer in kept})
        rows = [self._rows.of_answer(realm, answer) for answer in kept if answer.e164 not in erased]
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_answers, rows, newest="observed_at")

    def keep_failures(self, realm: str, failures: Iterable[Answer]) -> None:
        """Record that the provider could not answer in this run. No answer is replaced by that."""
        rows = [self._rows.of_failure(realm, failure) for failure in failures]
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_failures, rows)

    def count_bought(self) -> dict[str, int]:
        """Return realm -> how many answers this run, or this part of one, has brought that are on record still."""
        table = schema.lookup_answers
        query = select(table.c.realm, func.count().label("answers")).where(table.c.run_id == self.run_id)
        with self._store.transaction() as connection:
            return {row.realm: row.answers for row in connection.execute(query.group_by(table.c.realm))}

    def left(self, price: float, now: datetime) -> tuple[int, CapReached] | None:
        """Return how many lookups at that price a run that begins now may buy, and the cap that it meets then."""
        with self._store.transaction() as connection:
            return self.purse.left(connection, price, now)

    def claim(
        self,
        realm: str,
        questions: Sequence[Answer],
        since: datetime,
        *,
        again: bool,
        price: float = 0.0,
        newer_than: Mapping[str, datetime] | None = None,
    ) -> list[Claim]:
        """Put questions to the provider on record before they go out, in one step; return the claim of each, in order.

        Each is about another number. One must not go out where an answer observed ``since`` then has come meanwhile,
        where one was lost since then (unless it is asked ``again``), or where another run waits for one: that comes as
        a failure that cost nothing. Of a number in ``newer_than``, an answer before that moment is no reason. Nor where
        a cap has no room for its ``price``; else it counts as spent from now on.
        """
        # In one order, and the spending after all of them, so that two processes never wait for each other in a circle.
        number_key = self._store.keyring.number_key
        in_order = sorted(range(len(questions)), key=lambda place: number_key(questions[place].e164))
        claims = dict[int, Claim]()
        with self._store.transaction() as connection:
            for place in in_order:
                question = questions[place]
                least = max(since, (newer_than or {}).get(question.e164, since))
                claims[place] = self._questions.enter(connection, realm, question, since, least, again=again)
            for place, question in enumerate(questions):
                if claims[place].instead is None:
                    claims[place] = self._reserve(connection, realm, question, claims[place], price)
        return [claims[place] for place in range(len(questions))]

    def _reserve(self, connection: Connection, realm: str, question: Answer, claim: Claim, price: float) -> Claim:
        """Count a question that is on record as spent; take it off the record again where a cap has no room for it."""
        spent = self.purse.reserve(connection, price, question.observed_at)
        if isinstance(spent, CapReached):
            self._questions.close(connection, realm, question.e164, claim.replaced)
            return Claim(reached=spent)
        return replace(claim, reserved=spent)

    def record_answer(self, realm: str, answer: Answer, claim: Claim | None = None) -> None:
        """Store an answer and close its question, in one step; what it turned out not to cost is given back.

        Where an earlier answer of the realm outweighs it, that one stands, as if this run had brought it.
        """
        with self._store.transaction() as connection:
            self._record(connection, realm, [answer])
            self._settle(connection, answer, claim)

    def record_answers(self, realm: str, answers: Iterable[Answer]) -> None:
        """Do the same with answers that came together, each about another number, whose cost was settled before."""
        # In one order, so that two processes never wait for each other in a circle.
        in_order = sorted(answers, key=lambda answer: self._store.keyring.number_key(answer.e164))
        with self._store.transaction() as connection:
            for some in in_batches(in_order):
                self._record(connection, realm, some)

    def _record(self, connection: Connection, realm: str, answers: Sequence[Answer]) -> None:
        number_key = self._store.keyring.number_key
        known = find_answers(connection, self._store.keyring, realm, [answer.e164 for answer in answers])
        outweighed = {
            e164 for answer in answers if (e164 := answer.e164) in known and not replaces(known[e164], answer)
        }

        self._history.add(connection, realm, answers)
        standing = [self._rows.of_answer(realm, answer) for answer in answers if answer.e164 not in outweighed]
        upsert(connection, schema.lookup_answers, standing)
        if outweighed:
            keys = [{"key": key, "in_realm": realm, "by_run": self.run_id} for key in map(number_key, outweighed)]
            connection.execute(KEEP_ANSWER, keys)
        self._questions.close_all(connection, realm, [answer.e164 for answer in answers])

    def record_failure(self, realm: str, failure: Answer, claim: Claim | None) -> None:
        """Store a failure and close its question, in one step; a lost question that it had replaced is put back."""
        with self._store.transaction() as connection:
            upsert(connection, schema.lookup_failures, [self._rows.of_failure(realm, failure)])
            self._questions.close(connection, realm, failure.e164, claim.replaced if claim else None)
            self._settle(connection, failure, claim)

    def record_order(self, realm: str, order: Order) -> None:
        """Record that the provider has taken questions and answers later: they are neither lost nor asked again."""
        with self._store.transaction() as connection:
            self._questions.take_order(connection, realm, order)

    def open_orders(self, realm: str) -> list[Order]:
        """Return the orders at a realm whose answers are still to come, each with the numbers that are left of it."""
        with self._store.transaction() as connection:
            return self._questions.list_orders(connection, realm)

    def give_up_order(self, realm: str, number: str) -> None:
        """Record that an order brings no answer about an E.164 number: its question counts as lost."""
        with self._store.transaction() as connection:
            self._questions.give_up_order(connection, realm, number)

    def withdraw_questions(self, realm: str, questions: Mapping[str, Claim]) -> None:
        """Close questions that never went out: E.164 number -> its claim. They cost nothing."""
        with self._store.transaction() as connection:
            # In one order, so that two runs never wait for each other in a circle.
            for number, claim in sorted(questions.items(), key=lambda item: self._store.keyring.number_key(item[0])):
                self._questions.close(connection, realm, number, claim.replaced)
            self.purse.give_back(connection, [each.reserved for each in questions.values() if each.reserved])

    def _settle(self, connection: Connection, answer: Answer, claim: Claim | None) -> None:
        if claim is None or claim.reserved is None:
            return
        if not answer.paid:
            self.purse.give_back(connection, [claim.reserved])
        else:
            charged = find_charge(answer, claim.reserved.price, self.purse.caps.currency)
            self.purse.settle(connection, claim.reserved, charged)

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
        fixed |= {"this_run": self.run_id, "parts_of_it": f"{self.run_id}{PART_OF}%"}
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
