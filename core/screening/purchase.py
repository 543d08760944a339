"""Asking a provider so that no answer is paid twice, whatever dies on the way.

A mark is on record from before the question goes out until its answer is kept. A mark without an answer stands for a
question that may have been billed: it is not asked again until a verdict from that day would have aged. While its run
is under way it keeps other runs from asking the same.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ..clock import whole_seconds
from ..errors import RingfenceError
from ..model.answers import Answer, AnswerKind
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..state.lookup_cache import KeptAnswer, LookupCache


def ask(
    store: LookupCache, clock: Clock, lookup: Lookup, numbers: Sequence[str], *, since: datetime, again: bool = False
) -> Generator[Answer, None, None]:
    """Yield the provider's answers, each kept durably before it is used.

    A number is not asked about where an answer observed ``since`` then has come meanwhile, another run waits for one,
    or one was lost since then: it yields that answer, a failure, or LOST. With ``again`` lost ones are asked for.

    An answer that was cut off after its question went out comes as LOST and stays marked. When the provider raises one
    of our errors, the numbers without an answer were not asked (see :class:`ringfence.core.ports.lookup.Lookup`). A
    fault of the store says nothing of that kind: it ends the questions, and the marks of those without a kept answer
    stand. Closed early, it waits for the answers that are on their way and keeps them.
    """
    asking = _Asking(store, clock, lookup, numbers, since, again=again)
    try:
        while (answer := asking.next_answer()) is not None:
            yield answer
    finally:
        asking.finish()


class _Asking:
    def __init__(
        self,
        store: LookupCache,
        clock: Clock,
        lookup: Lookup,
        numbers: Sequence[str],
        since: datetime,
        *,
        again: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._lookup = lookup
        self._since = since
        self._again = again
        self._open: dict[str, KeptAnswer | None] = {}  # numbers asked about, with the marks of earlier lost questions
        self._over = False
        self._unasked: list[Answer] = []
        self._fault: RingfenceError | None = None
        self._answers = lookup.look_up(self._questions(numbers))

    def next_answer(self) -> Answer | None:
        """Return the next answer, kept; None when there is none left."""
        try:
            answer = next(self._answers, None)
        except RingfenceError:
            self._store.withdraw_questions(self._lookup.realm, self._open)
            raise
        if answer is not None:
            return self._keep(_judge(answer))
        if self._unasked:
            return self._unasked.pop()
        if self._fault is not None:
            raise self._fault
        return None

    def finish(self) -> None:
        """Ask no more, and keep the answers that are on their way, for they are paid; nobody listens to them."""
        self._over = True
        # What has ended the asking matters more than what goes wrong now: marks without an answer stand.
        with suppress(RingfenceError):
            while self.next_answer() is not None:
                pass

    def _questions(self, numbers: Sequence[str]) -> Iterator[str]:
        for number in numbers:
            if self._over:
                return
            question = Answer(number, AnswerKind.LOST, whole_seconds(self._clock.now()), paid=False)
            try:
                claim = self._store.claim(self._lookup.realm, question, self._since, again=self._again)
            except RingfenceError as fault:
                # Raised here it would end the provider, which still owes the answers to what it has asked.
                self._fault = fault
                return
            if claim.instead is not None:
                self._unasked.append(claim.instead)
                continue
            self._open[number] = claim.replaced
            yield number

    def _keep(self, answer: Answer) -> Answer:
        if answer.kind is AnswerKind.FAILED:
            self._store.record_failure(self._lookup.realm, answer, self._open.get(answer.e164))
        elif answer.kind is not AnswerKind.LOST:
            self._store.record_answer(self._lookup.realm, answer)
        self._open.pop(answer.e164, None)
        return answer


def _judge(answer: Answer) -> Answer:
    lost = answer.kind is AnswerKind.FAILED and answer.paid
    return replace(answer, kind=AnswerKind.LOST) if lost else answer
