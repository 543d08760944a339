"""Asking one provider so that no answer is paid twice, whatever dies on the way.

A question is on record from before it goes out until its answer is kept. A question without an answer may have been
billed: its number is not asked about again until a verdict from that day would have aged. While the run that asked is
under way, the question keeps other runs from asking the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from ..clock import whole_seconds
from ..errors import AuthenticationError, QuotaError, RingfenceError
from ..model.answers import Answer, AnswerKind, Order
from ..model.caps import CapReached
from ..ports.lookup import NOT_ASKED, Lookup
from ..ports.services import Clock
from ..state.lookup_cache import LookupCache
from ..state.lookup_questions import Claim
from ..state.sql import in_batches
from .gateway import NOTHING_NEWER
from .orders import collect
from .prices import price_of


def ask(
    cache: LookupCache,
    clock: Clock,
    lookup: Lookup,
    numbers: Sequence[str],
    *,
    since: datetime,
    newer_than: Mapping[str, datetime] = NOTHING_NEWER,
    again: bool = False,
    on_refusal: Callable[[int], None] = lambda _numbers: None,
    on_cap: Callable[[CapReached], None] = lambda _reached: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[Answer, None, None]:
    """Yield the provider's answers about E.164 numbers, each kept durably before it is used.

    A number is not asked about where an answer observed ``since`` then has come meanwhile, another run waits for one,
    or one was lost since then: it yields that answer, a failure, or LOST. Of a number in ``newer_than`` no answer
    before that moment counts. With ``again`` lost ones are asked for.
    Where a cap has no room for one more, ``on_cap`` is told, and the numbers that are left have no answer. Once
    ``stopped`` says so, no further number is asked about.

    An answer that was cut off after its question went out is LOST, and its question stays on record. When the
    provider raises one of our errors, the numbers without an answer were not billed (see
    :class:`ringfence.core.ports.lookup.Lookup`); how many of them it has refused, ``on_refusal`` is told. A fault of
    the store says nothing of that kind: it ends the
    questions, and those without a kept answer stay on record. Closed early, the generator waits for the answers that
    are on their way and keeps them.
    """
    purchase = _Purchase(
        cache,
        clock,
        lookup,
        numbers,
        since,
        newer_than,
        again=again,
        on_refusal=on_refusal,
        on_cap=on_cap,
        stopped=stopped,
    )
    try:
        while (answer := purchase.next_answer()) is not None:
            yield answer
    finally:
        purchase.finish()


class _Purchase:
    """The questions to one provider that are on their way, and the answers to them."""

    def __init__(
        self,
        cache: LookupCache,
        clock: Clock,
        lookup: Lookup,
        numbers: Sequence[str],
        since: datetime,
        newer_than: Mapping[str, datetime],
        *,
        again: bool,
        on_refusal: Callable[[int], None],
        on_cap: Callable[[CapReached], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._lookup = lookup
        self._since = since
        self._newer_than = newer_than
        self._again = again
        self._on_refusal = on_refusal
        self._on_cap = on_cap
        self._must_stop = stopped
        self._open: dict[str, Claim] = {}  # numbers asked about
        self._claimed: dict[str, Claim] = {}  # numbers that may be asked about, and have not been yet
        self._answered_without_asking: list[Answer] = []
        self._store_fault: RingfenceError | None = None
        self._stopped = False
        self._ordered: list[Order] = []
        self._collecting: Iterator[Answer] | None = None
        self._answers = lookup.look_up(self._questions(numbers))

    def next_answer(self) -> Answer | None:
        """Return the next answer, kept; None when there is none left."""
        try:
            answer = next(self._answers, None)
        except RingfenceError as outage:
            self._give_back()
            self._cache.withdraw_questions(self._lookup.realm, self._open)
            if isinstance(outage, (AuthenticationError, QuotaError)):
                self._on_refusal(len(self._open))
            raise

        if isinstance(answer, Order):
            self._take_order(answer)
            return self.next_answer()
        if answer is not None and answer.code == NOT_ASKED:
            self._claimed[answer.e164] = self._open.pop(answer.e164)
            return self.next_answer()
        if answer is not None:
            return self._keep(answer)
        self._give_back()
        if (promised := self._next_of_orders()) is not None:
            return promised
        if self._answered_without_asking:
            return self._answered_without_asking.pop()
        if self._store_fault is not None:
            raise self._store_fault
        return None

    def finish(self) -> None:
        """Ask no more, and keep the answers that are on their way, for they are paid; nobody uses them now."""
        self._stopped = True
        # What has ended the asking matters more than what goes wrong now: questions without an answer stay on record.
        with suppress(RingfenceError):
            while self.next_answer() is not None:
                pass

    def _take_order(self, order: Order) -> None:
        """Record an order before anything else happens with it: whoever has its reference can fetch the answers."""
        self._cache.record_order(self._lookup.realm, order)
        self._ordered.append(order)
        for number in order.numbers:
            self._open.pop(number, None)

    def _next_of_orders(self) -> Answer | None:
        """Return the next answer to the orders of this asking, or what stands for one that is still to come."""
        if self._ordered and self._collecting is None:
            self._collecting = collect(
                self._cache, self._clock, self._lookup, self._ordered, lambda: self._stopped or self._must_stop()
            )
        return next(self._collecting, None) if self._collecting is not None else None

    def _questions(self, numbers: Sequence[str]) -> Iterator[str]:
        """Yield the numbers that may be asked about, each when the provider is ready to ask, its question on record."""
        for some in in_batches(numbers, max(1, self._lookup.profile.batch)):
            if self._stopped or self._must_stop():
                return
            reached = self._claim(some)

            for number in some:
                if number not in self._claimed:
                    continue
                if self._stopped or self._must_stop():
                    return
                self._open[number] = self._claimed.pop(number)
                yield number

            if reached or self._store_fault is not None:
                return

    def _claim(self, numbers: Sequence[str]) -> bool:
        """Put the questions of one call on record in one step; return whether a cap was reached."""
        now = whole_seconds(self._clock.now())
        questions = [Answer(number, AnswerKind.LOST, now, paid=False) for number in numbers]
        realm, price = self._lookup.realm, price_of(self._lookup)
        try:
            claims = self._cache.claim(
                realm, questions, self._since, again=self._again, price=price, newer_than=self._newer_than
            )
        except RingfenceError as fault:
            # Raised here it would end the provider, which still owes the answers to what it has asked.
            self._store_fault = fault
            return False

        reached = next((claim.reached for claim in claims if claim.reached is not None), None)
        if reached is not None:
            self._on_cap(reached)
        self._answered_without_asking += [claim.instead for claim in claims if claim.instead is not None]
        free = (
            (number, each) for number, each in zip(numbers, claims, strict=True) if not (each.instead or each.reached)
        )
        self._claimed.update(free)
        return reached is not None

    def _give_back(self) -> None:
        """Take the questions off the record again that never came to go out."""
        claimed, self._claimed = self._claimed, {}
        if claimed:
            self._cache.withdraw_questions(self._lookup.realm, claimed)

    def _keep(self, answer: Answer) -> Answer:
        realm = self._lookup.realm
        if answer.kind is AnswerKind.FAILED:
            self._cache.record_failure(realm, answer, self._open.get(answer.e164))
        elif answer.kind is not AnswerKind.LOST:
            self._cache.record_answer(realm, answer, self._open.get(answer.e164))
        self._open.pop(answer.e164, None)
        return answer
