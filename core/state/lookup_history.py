"""The history of what live lookups have told of lines, and the questions to people that it gives rise to.

A provider that says today what it did not say yesterday may be wrong, and a phone that is off once may be on tomorrow:
so each word is kept for itself. What is asked of people is asked in the transaction that keeps the answer, so that no
crash comes between the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, select

from ..decisions.answering import answers_by_lookup
from ..decisions.doubts import Told, belongs_to_history, describe_told, find_doubt
from ..decisions.reviewing import ABOUT_LINES
from ..model.answers import Answer
from ..model.blocks import Channel
from ..model.policy import UnreachableRule
from ..model.review_items import ReviewItem
from . import schema
from .keyring import Keyring
from .lookup_rows import LookupRows, open_history
from .review_queue import ReviewQueue
from .sql import in_batches, insert_missing

_Table = schema.lookup_history
_OF_SOME = (
    select(_Table)
    .where(_Table.c.number_key.in_(bindparam("keys", expanding=True)))
    .order_by(_Table.c.observed_at, _Table.c.realm)
)


class DoubtWatch:
    """Asks people about numbers whose history leaves a doubt, in the review queue of a suppression ledger.

    ``rule`` tells when a line that is not reached is doubtful. What somebody has decided counts: only what was told
    after that can raise the same doubt again.
    """

    def __init__(self, keyring: Keyring, ledger: str, rule: UnreachableRule) -> None:
        self._keyring = keyring
        self._rule = rule
        self._queue = ReviewQueue(keyring, ledger)

    def look_at(
        self, connection: Connection, latest: Told, history: Sequence[Told], waiting: Sequence[ReviewItem]
    ) -> None:
        """Ask a person where the latest answer about a number raises a doubt; else close what it answers.

        ``waiting`` is what people have been asked about the state of its line.
        """
        number = latest.answer.e164
        doubt = find_doubt(latest, history, self._rule)
        if doubt is None:
            self._close(connection, latest, waiting)
            return
        decided_at = self._queue.last_decided(connection, number, doubt.reason)
        if decided_at is not None:
            since = [each for each in history if each.answer.observed_at > decided_at]
            doubt = find_doubt(latest, since, self._rule)
        if doubt is not None:
            self._queue.ask_about_number(
                connection, number, doubt.reason, Channel.ALL, doubt.evidence, since=doubt.since
            )

    def find_waiting(self, connection: Connection, numbers: Sequence[str]) -> Mapping[str, list[ReviewItem]]:
        """Return what people have been asked about the lines of these E.164 numbers, by the number."""
        found = defaultdict[str, list[ReviewItem]](list)
        for item in self._queue.find_open_about(connection, numbers, ABOUT_LINES):
            found[item.number].append(item)
        return found

    def _close(self, connection: Connection, latest: Told, waiting: Iterable[ReviewItem]) -> None:
        answer = latest.answer
        for item in waiting:
            if answers_by_lookup(item.reason, item.since, answer):
                self._queue.close_answered(connection, item, describe_told(latest), answer.observed_at)


class LookupHistory:
    """What one run adds to the history. Each method works in the caller's transaction."""

    def __init__(self, keyring: Keyring, rows: LookupRows, watch: DoubtWatch | None) -> None:
        self._keyring = keyring
        self._rows = rows
        self._watch = watch

    def add(self, connection: Connection, realm: str, answers: Iterable[Answer]) -> None:
        """Keep the live ones of some answers, and ask people where they leave a doubt; the others are passed over."""
        live = [answer for answer in answers if belongs_to_history(answer)]
        if not live:
            return

        insert_missing(connection, _Table, [self._rows.of_history(realm, answer) for answer in live])
        if self._watch is None:
            return
        numbers = [answer.e164 for answer in live]
        told, waiting = (
            list_histories(connection, self._keyring, numbers),
            self._watch.find_waiting(connection, numbers),
        )
        for answer in live:
            latest = Told(source_of(realm), replace(answer, paid=False))
            self._watch.look_at(connection, latest, told[answer.e164], waiting[answer.e164])


def source_of(realm: str) -> str:
    """Return the name of the provider that a realm belongs to; ``crm`` for the companions of a CRM."""
    return realm.partition(":")[0]


def list_histories(connection: Connection, keyring: Keyring, numbers: Sequence[str]) -> Mapping[str, list[Told]]:
    """Return the live answers about E.164 numbers, the oldest first, by the number."""
    by_key = {keyring.number_key(number): number for number in numbers}
    found = defaultdict[str, list[Told]](list)
    for keys in in_batches(list(by_key)):
        for row in connection.execute(_OF_SOME, {"keys": keys}):
            number = by_key[bytes(row.number_key)]
            found[number].append(Told(source_of(row.realm), open_history(keyring, number, row)))
    return found


def list_history(connection: Connection, keyring: Keyring, number: str) -> list[tuple[str, Answer]]:
    """Return the live answers about an E.164 number with who gave each, the oldest first."""
    return [(each.source, each.answer) for each in list_histories(connection, keyring, [number])[number]]
