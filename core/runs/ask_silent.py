"""The last phase of a sync: people are asked about numbers of which nothing was heard for long."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ..decisions.silence import describe_silence, is_silent
from ..model.blocks import Channel
from ..model.evidence_rules import EvidenceRules
from ..model.review_items import ReviewReason
from ..ports.services import Clock
from ..state.evidence import name_numbers
from ..state.heard_signals import take_turns
from ..state.lookup_history import list_histories
from ..state.number_signs import NumberSigns
from ..state.review_queue import ReviewQueue
from ..state.silent_numbers import Place, find_oldest, keep_unasked, list_quiet
from ..state.store import Store
from .summary import Summary

LOOKED_AT = 10_000
"""Numbers that one run looks at: a sync is not to be held up by them."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class AskAboutSilence:
    """Puts numbers that fell silent into the review queue, a few in each run, and never calls one invalid for that.

    Where more were silent than one run looks at, each run begins at another place, so that none waits for ever.
    ``find_suppressed`` tells which numbers must not be contacted: nobody needs to know whether they live.
    """

    store: Store
    org_id: int
    ledger: str
    rules: EvidenceRules
    clock: Clock
    find_suppressed: Callable[[Collection[str]], Collection[str]]
    heartbeat: Callable[[], None]
    summary: Summary

    def run(self) -> bool:
        """Ask about silent numbers, as many as the rules allow in one run."""
        before = self.clock.now() - self.rules.silent_after
        with self.store.transaction() as connection:
            oldest = find_oldest(connection, self.ledger)
        if oldest is None or oldest >= before:
            return True

        begin = oldest + (before - oldest) * _fraction(self.summary.run_id)
        left = LOOKED_AT
        for after, end in (((begin, b""), before), ((oldest, b""), begin)):
            while self._room() > 0 and (places := self._next(after, end, min(left, _PAGE))):
                self.heartbeat()
                self._look_at([key for _, key in places])
                after, left = places[-1], left - len(places)
        return True

    def _room(self) -> int:
        return self.rules.silent.most_a_run - self.summary.silent_asked

    def _next(self, after: Place, end: datetime, limit: int) -> list[Place]:
        with self.store.transaction() as connection:
            return list_quiet(connection, self.ledger, end, after, limit) if limit > 0 else []

    def _look_at(self, keys: list[bytes]) -> None:
        with self.store.transaction() as connection:
            unasked = keep_unasked(connection, self.ledger, self.org_id, keys)
            numbers = name_numbers(connection, self.store.keyring, self.ledger, unasked)
        if not numbers:
            return
        wanted = sorted(set(numbers).difference(self.find_suppressed(numbers)))
        with self.store.transaction() as connection:
            take_turns(connection, self.store.keyring, wanted)
            self.summary.silent_asked += self._ask(connection, wanted)

    def _ask(self, connection: Connection, numbers: list[str]) -> int:
        """Ask about those of the numbers that are silent, while there is room; return how many that were."""
        signs = NumberSigns(self.store.keyring, self.ledger).find(connection, numbers)
        told = list_histories(connection, self.store.keyring, numbers)
        queue, asked, room = ReviewQueue(self.store.keyring, self.ledger), 0, self._room()
        for number in sorted(signs):
            if asked < room and is_silent(signs[number], told.get(number, ()), self.rules, self.clock.now()):
                last = signs[number][-1]
                said, since = describe_silence(last), last.occurred_at
                asked += queue.ask_about_number(connection, number, ReviewReason.SILENT, Channel.ALL, said, since)
        return asked


def _fraction(run_id: str) -> float:
    """Return a number from 0 to 1 that is another one for each run."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:6]) / 2**48
