"""Buying answers within a budget: the providers of a number in turn, different ones side by side.

A provider that fails as a whole is left out: for a while where it may come back, else for the rest of the run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from datetime import datetime

from ..errors import AuthenticationError, QuotaError, RingfenceError, UnreachableError
from ..model.answers import Answer, AnswerKind
from ..model.caps import MICROS, CapReached, in_micros
from ..model.charges import find_charge
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..state.kept_answers import BESIDE, KeptAnswer
from .errands import Arrived, Ended, Errands
from .gateway import NOTHING_NEWER, KnownAnswers, Tally
from .journeys import ON_ITS_WAY, TOLD, Journeys, best_of
from .orders import fetch_earlier
from .prices import price_of
from .purchase import ask

logger = logging.getLogger(__name__)

OnAnswer = Callable[[int, float], None]
"""Is told how many lookups were paid so far, and what they cost."""

NOT_NOW, OUTAGE = "not asked", "outage"
"""Why nobody was asked about a number: for the budget or because the process is to end, or no provider was left."""


REACH, MOST_REACH = 2000, 6000
"""Numbers that are asked about at once, and how many at most: they wait in memory for their batches."""

RETRY_OUTAGE_S = 60.0
"""How long a provider that could not be reached is left alone before it is tried again in the same run."""


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
        self.known = known
        self._clock = clock
        self._on_answer = on_answer
        self._in_service = list(known.lookups)
        self._outages: dict[str, RingfenceError] = {}  # by realm
        self._fetched = False
        self._waiting: set[str] = set()  # numbers that are on order
        self._back_at: dict[str, float] = {}  # realm -> when a provider that is left out is tried again

    @property
    def reach(self) -> int:
        """Return how many numbers are best asked about at once, no more than the caps leave.

        Between two lots every provider runs dry for the time of one answer: a lot is to take far longer than that.
        """
        if self.exhausted or not self._in_service:
            return 0
        most = max(max(each.profile.batch, REACH) for each in self._in_service)
        left = self.known.cache.left(min(price_of(each) for each in self._in_service), self._clock.now())
        return min(most, MOST_REACH, left[0] if left is not None else MOST_REACH)

    @property
    def exhausted(self) -> bool:
        """Return whether a number had to go without a lookup because a cap was reached."""
        return self.cap is not None

    @property
    def outage(self) -> RingfenceError | None:
        """Return the error that left no provider to ask; refused credentials before what passes by itself."""
        if self._in_service or not self._outages:
            return None
        return min(self._outages.values(), key=lambda outage: outage.exit_code)

    def find(self, numbers: Collection[str], now: datetime) -> dict[str, KeptAnswer]:
        """See :class:`ringfence.core.screening.gateway.LookupGateway`."""
        if not self._fetched and numbers:
            self._fetched = True
            fetch_earlier(self.known.cache, self.known.lookups, self._note_fetched)
        found = self.known.find(numbers, now, self._in_service)
        self._count_waiting(found)
        return found

    def ask(
        self,
        numbers: Sequence[str],
        now: datetime,
        *,
        newer_than: Mapping[str, datetime] = NOTHING_NEWER,
    ) -> dict[str, KeptAnswer]:
        """Ask the providers of each number in turn, until one tells the state of the line or that there is no such one.

        Each is asked only about what those before it could not answer, and different providers at the same time.
        """
        numbers = self.known.covered(numbers)
        if not numbers:
            return {}

        self._let_back_in()
        answers = {
            number: kept
            for number, heard in self._carry_out(numbers, now, newer_than).items()
            if (kept := best_of(heard))
        }
        found = {number: answers.get(number) or self._owed(number, now) for number in numbers}
        self.tally.failed += sum(_has_failed(kept.answer) for kept in found.values())
        self._count_waiting(found)
        return found

    def _count_waiting(self, found: Mapping[str, KeptAnswer]) -> None:
        for number, kept in found.items():
            if kept.answer.kind is AnswerKind.PENDING and number not in self._waiting:
                self._waiting.add(number)
                provider = kept.realm.partition(":")[0]
                self.tally.waiting[provider] = self.tally.waiting.get(provider, 0) + 1

    def _carry_out(
        self, numbers: Sequence[str], now: datetime, newer_than: Mapping[str, datetime]
    ) -> Mapping[str, Sequence[KeptAnswer]]:
        """Take the numbers from provider to provider until each is settled; return what each of them has heard."""
        journeys = Journeys(self.known, numbers, self._in_service, now, newer_than)
        waiting: dict[str, list[str]] = {}  # by realm

        def send_on(number: str) -> None:
            if (lookup := journeys.move_on(number, self._in_service)) is not None:
                waiting.setdefault(lookup.realm, []).append(number)

        def ask_one(
            lookup: Lookup, some: Sequence[str], on_cap: Callable[[CapReached], None], stopped: Callable[[], bool]
        ) -> Generator[Answer, None, None]:
            return ask(
                self.known.cache,
                self._clock,
                lookup,
                some,
                since=self.known.oldest(now),
                newer_than=newer_than,
                again=self.known.retry_lost,
                on_refusal=lambda refused: self._count_refused(lookup, refused),
                on_cap=on_cap,
                stopped=stopped,
            )

        errands = Errands(ask_one)

        def start() -> None:
            for lookup in self.known.lookups:
                some = waiting.get(lookup.realm, [])
                # A call that takes many numbers waits for them as long as others are still being asked.
                worth_it = errands.idle or len(some) >= lookup.profile.batch
                if some and worth_it and not errands.is_running(lookup):
                    errands.start(lookup, waiting.pop(lookup.realm), alone=journeys.have_one_provider)

        for number in numbers:
            send_on(number)
        start()
        for event in errands.events():
            if isinstance(event, Arrived):
                self._take(event)
                journeys.hear(event.lookup, event.answer)
                # Whoever has an answer goes on at once, if at all; a failure, only once the errand has ended.
                if event.answer.kind in TOLD:
                    send_on(event.answer.e164)
            else:
                self._end(event)
                for number in journeys.left_by(event):
                    send_on(number)
            start()
        return journeys.heard

    def _note_fetched(self, provider: str, answer: Answer) -> None:
        self.known.fetched.add(answer.e164)
        self.tally.note_unrecognised(provider, answer)

    def _take(self, event: Arrived) -> None:
        """Count an answer."""
        self.tally.lookups += _is_bought(event.answer)
        self._count(event.lookup, event.answer)
        self.tally.note_unrecognised(event.lookup.name, event.answer)
        self._on_answer(self.tally.lookups, sum(each.cost for each in self.tally.providers.values()))

    def _end(self, event: Ended) -> None:
        """Leave out a provider that failed as a whole. Raises what ended an errand, if that is no outage."""
        if isinstance(event.error, (AuthenticationError, QuotaError, UnreachableError)):
            self._leave_out(event.lookup, event.error)
        elif event.error is not None:
            raise event.error
        self.cap = event.cap or self.cap

    def _owed(self, number: str, now: datetime) -> KeptAnswer:
        """Return what stands for the lookup of a number that nobody was asked about."""
        code = NOT_NOW if self._in_service else OUTAGE
        return KeptAnswer("", "", Answer(number, AnswerKind.FAILED, now, code=code, paid=False))

    def _count(self, lookup: Lookup, answer: Answer) -> None:
        tally = self.tally.of(lookup.name)
        tally.asked += answer.code not in ON_ITS_WAY
        tally.lost += answer.kind is AnswerKind.LOST
        currency = self.known.cache.purse.caps.currency
        charge = find_charge(answer, in_micros(price_of(lookup)), currency)
        tally.cost = round(tally.cost + charge / MICROS * _is_bought(answer), 6)

    def _count_refused(self, lookup: Lookup, numbers: int) -> None:
        self.tally.of(lookup.name).asked += numbers

    def _leave_out(self, lookup: Lookup, outage: RingfenceError) -> None:
        """Ask this provider no more in this run, or not for a while where it could not be reached."""
        self._in_service = [each for each in self._in_service if each.realm != lookup.realm]
        self._outages[lookup.realm] = outage
        if isinstance(outage, UnreachableError):
            self._back_at[lookup.realm] = self._clock.monotonic() + RETRY_OUTAGE_S
        self.tally.of(lookup.name).stopped = outage.code.value
        if self._in_service:
            # By its kind only: the words are the provider's, and may name an account.
            kind = type(outage).__name__
            logger.warning("%s is left out for the rest of the run (%s); the next provider is asked", lookup.name, kind)

    def _let_back_in(self) -> None:
        """Put providers back into service that have been left alone long enough, in their own places."""
        now = self._clock.monotonic()
        for lookup in self.known.lookups:
            if self._back_at.get(lookup.realm, now + 1) > now:
                continue
            del self._back_at[lookup.realm], self._outages[lookup.realm]
            self.tally.of(lookup.name).stopped = None
            there = {each.realm for each in self._in_service} | {lookup.realm}
            self._in_service = [each for each in self.known.lookups if each.realm in there]


def _is_bought(answer: Answer) -> bool:
    """Return whether the lookup counts as bought; a failure never does, though its request may have been billed."""
    return answer.paid and answer.kind is not AnswerKind.FAILED


def _has_failed(answer: Answer) -> bool:
    """Return whether a provider was asked in vain, or none could be: whoever was not asked has not failed."""
    return answer.kind is AnswerKind.FAILED and answer.code not in (NOT_NOW, BESIDE)
