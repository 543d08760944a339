"""Buying answers: the providers in turn, within a budget; one that fails as a whole is left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from datetime import datetime

from ..errors import AuthenticationError, QuotaError, RingfenceError, UnreachableError
from ..model.answers import Answer, AnswerKind
from ..model.caps import CapReached
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..state.lookup_cache import BESIDE, ELSEWHERE, KeptAnswer
from .gateway import KnownAnswers, Tally
from .purchase import ask

logger = logging.getLogger(__name__)

OnAnswer = Callable[[int, float], None]
"""Is told how many lookups were paid so far, and what they cost."""

NOT_NOW, OUTAGE = "not asked", "outage"
"""Why nobody was asked about a number: for the budget or because the process is to end, or no provider was left."""


class BuyingGateway:
    """A :class:`ringfence.core.screening.gateway.LookupGateway` that buys.

    The caps that the cache keeps hold for paid calls, and with them for calls that failed although nobody rules a
    charge out; ``on_answer`` is called after each answer with how many were paid so far and what they cost.
    """

    def __init__(
        self,
        known: KnownAnswers,
        clock: Clock,
        *,
        on_answer: OnAnswer = lambda _paid, _cost: None,
    ) -> None:
        self.tally = Tally()
        self.cap: CapReached | None = None
        self._known = known
        self._clock = clock
        self._on_answer = on_answer
        self._in_service = list(known.lookups)
        self._outages: list[RingfenceError] = []

    @property
    def exhausted(self) -> bool:
        """Return whether a number had to go without a lookup because a cap was reached."""
        return self.cap is not None

    @property
    def outage(self) -> RingfenceError | None:
        """Return the error that left no provider to ask; refused credentials before what passes by itself."""
        if self._in_service or not self._outages:
            return None
        return min(self._outages, key=lambda outage: outage.exit_code)

    def find(self, numbers: Collection[str], now: datetime) -> dict[str, KeptAnswer]:
        """See :class:`ringfence.core.screening.gateway.LookupGateway`."""
        return self._known.find(numbers, now, self._in_service)

    def ask(self, numbers: Sequence[str], now: datetime) -> dict[str, KeptAnswer]:
        """Ask the providers in turn; each is asked only about what those before it could not answer."""
        if not numbers or not self._known.lookups:
            return {}

        answers: dict[str, KeptAnswer] = {}
        open_numbers = list(numbers)
        for lookup in tuple(self._in_service):
            if not open_numbers:
                break
            reached = self._ask_one(lookup, open_numbers, now, answers)
            # What the cap kept from one provider is no reason to ask another one, which may be cheaper, out of turn.
            asked = [number for number in open_numbers if number in answers] if reached else open_numbers
            open_numbers = [number for number in asked if not _is_settled(answers.get(number))]

        found = {number: answers.get(number) or self._owed(number, now) for number in numbers}
        self.tally.failed += sum(_has_failed(kept.answer) for kept in found.values())
        return found

    def _owed(self, number: str, now: datetime) -> KeptAnswer:
        """Return what stands for the lookup of a number that nobody was asked about."""
        code = NOT_NOW if self._in_service else OUTAGE
        return KeptAnswer("", "", Answer(number, AnswerKind.FAILED, now, code=code, paid=False))

    def _ask_one(self, lookup: Lookup, numbers: Sequence[str], now: datetime, answers: dict[str, KeptAnswer]) -> bool:
        """Ask one provider and take its answers over where they are worth more than the present ones.

        Return whether a cap has left numbers unasked.
        """
        reached: list[CapReached] = []
        incoming = ask(
            self._known.cache,
            self._clock,
            lookup,
            numbers,
            since=self._known.oldest(now),
            again=self._known.retry_lost,
            on_refusal=lambda refused: self._count_refused(lookup, refused),
            on_cap=reached.append,
        )
        try:
            with closing(incoming):
                for answer in incoming:
                    self.tally.lookups += _is_bought(answer)
                    self._count(lookup, answer)
                    self._on_answer(self.tally.lookups, sum(each.cost for each in self.tally.providers.values()))
                    previous = answers.get(answer.e164)
                    if previous is None or _RANK[answer.kind] > _RANK[previous.answer.kind]:
                        answers[answer.e164] = KeptAnswer(lookup.realm, "", answer)
        except (AuthenticationError, QuotaError, UnreachableError) as outage:
            self._leave_out(lookup, outage)

        self.cap = reached[0] if reached else self.cap
        return bool(reached)

    def _count(self, lookup: Lookup, answer: Answer) -> None:
        tally = self.tally.of(lookup.name)
        tally.asked += answer.code not in _ON_ITS_WAY
        tally.lost += answer.kind is AnswerKind.LOST
        tally.cost = round(tally.cost + lookup.price * _is_bought(answer), 6)

    def _count_refused(self, lookup: Lookup, numbers: int) -> None:
        self.tally.of(lookup.name).asked += numbers

    def _leave_out(self, lookup: Lookup, outage: RingfenceError) -> None:
        """Ask this provider no more in this run."""
        self._in_service.remove(lookup)
        self._outages.append(outage)
        self.tally.of(lookup.name).stopped = outage.code.value
        if self._in_service:
            # By its kind only: the words are the provider's, and may name an account.
            kind = type(outage).__name__
            logger.warning("%s is left out for the rest of the run (%s); the next provider is asked", lookup.name, kind)


def _is_bought(answer: Answer) -> bool:
    """Return whether the lookup counts as bought; a failure never does, though its request may have been billed."""
    return answer.paid and answer.kind is not AnswerKind.FAILED


def _has_failed(answer: Answer) -> bool:
    """Return whether a provider was asked in vain, or none could be: whoever was not asked has not failed."""
    return answer.kind is AnswerKind.FAILED and answer.code not in (NOT_NOW, BESIDE)


def _is_settled(kept: KeptAnswer | None) -> bool:
    """Return whether no further provider is asked: what another run is asking about may come out as known."""
    if kept is None:
        return False
    answer = kept.answer
    return answer.kind is AnswerKind.KNOWN or (answer.kind is AnswerKind.FAILED and answer.code in _ON_ITS_WAY)


_ON_ITS_WAY = (ELSEWHERE, BESIDE)

_RANK = {AnswerKind.FAILED: 0, AnswerKind.LOST: 1, AnswerKind.INCONCLUSIVE: 2, AnswerKind.KNOWN: 3}
"""What an answer is worth beside another provider's."""
