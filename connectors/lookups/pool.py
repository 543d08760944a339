"""Parallel lookups: many numbers, a call for each or for some at a time, over a few threads.

What a provider's module brings is one function: E.164 numbers in, their answers out. Everything that providers share is
here, so that a second one needs no copy: each number is sent once, an answer that is paid for is never dropped, and a
provider that fails on one number after the other is left alone. Until a provider has told something about a number it
is called one call at a time, so that a wrong address costs one request. Once the process is asked to end no further
number is asked about, and answers that are on their way are waited for as long as there is time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import chain, islice
from math import inf

from ringfence.core.errors import StoppedError, Terminated
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.numbers import Validity
from ringfence.core.ports.lookup import NOT_ASKED
from ringfence.core.ports.services import no_hurry

THREADS = 8
MOST_FAILED = 3 * THREADS
"""Numbers failed in a row, each after all of its attempts, before the rest is left for another run."""

HEAVY = 3
"""For how many failures a lost answer counts, for it may have been billed, and a number that was refused each time."""


def weigh_lost(answer: Answer) -> int:
    """Return for how many failures an answer without a verdict counts."""
    return HEAVY if answer.kind is AnswerKind.LOST else 1


MOST_UNPROVEN = 3
"""Numbers failed in a row before the provider has told anything at all."""

POLL_S = 0.1
"""How often a wait for answers looks whether the process was asked to end."""

_TELLING = (AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE)


@dataclass(slots=True)
class LookupPool:
    """Looks numbers up in parallel.

    ``name`` names the threads. ``look_up_some`` returns the answers to the numbers of one call, ``size`` at most, its
    retries included, and raises where no number can be answered. ``give_up`` makes the error that ends the lookups,
    from the last failure and from how many numbers in a row failed or had their answers lost, with no answer between
    them. ``abandon`` makes the answer LOST of a number whose own is waited for no longer, because the ``patience`` of
    the process is over (see :class:`ringfence.core.ports.services.Services`). ``weigh`` tells for how many failures of
    ``most_failed`` one counts. ``proven`` tells whether the provider has told something about a number since the pool
    was made.
    """

    name: str
    look_up_some: Callable[[Sequence[str]], Sequence[Answer]]
    give_up: Callable[[Answer, int], StoppedError]
    abandon: Callable[[str], Answer]
    patience: Callable[[], float] = no_hurry
    weigh: Callable[[Answer], int] = weigh_lost
    threads: int = THREADS
    size: int = 1
    most_failed: int = MOST_FAILED
    proven: bool = False
    _failed: int = 0
    _weight: int = 0

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Look each E.164 number up once, yielding each answer as it comes.

        Answers that are on their way when a lookup raises, at Ctrl-C or at SIGTERM, are still yielded, because they are
        paid, before that error, the one of ``give_up``, KeyboardInterrupt or Terminated is raised.
        """
        run = _PoolRun(self, distinct(numbers))

        while run.fill():
            yield from run.collect()

        if run.failure is not None:
            raise run.failure

    def judge(self, answer: Answer) -> StoppedError | None:
        """Take an answer into account; return the error that ends the lookups where too many in a row have failed."""
        if answer.kind in _TELLING or answer.validity is not Validity.UNKNOWN:
            self.proven = True
        if answer.kind in _TELLING:
            self._failed = self._weight = 0
            return None

        self._failed += 1
        self._weight += self.weigh(answer)
        too_many = self._weight >= self.most_failed if self.proven else self._failed >= MOST_UNPROVEN
        return self.give_up(answer, self._failed) if too_many else None

    def judge_call(self, answers: Sequence[Answer]) -> StoppedError | None:
        """Take the answers of one call into account, as :meth:`judge`.

        A call that told anything went well. One that told nothing is one failure, however many numbers it was about;
        but each answer that was lost counts, because each may have been billed.
        """
        answers = [answer for answer in answers if answer.code != NOT_ASKED]
        telling = [answer for answer in answers if answer.kind in _TELLING or answer.validity is not Validity.UNKNOWN]
        lost = [answer for answer in answers if answer.kind is AnswerKind.LOST]
        stops = [self.judge(answer) for answer in telling[:1] or lost or answers[:1]]
        return next((stop for stop in reversed(stops) if stop is not None), None)


class _PoolRun:
    """The state of one call of ``look_up``: numbers to come, lookups under way, and what ended it."""

    def __init__(self, pool: LookupPool, numbers: Iterator[str]) -> None:
        self.failure: BaseException | None = None
        self._pool = pool
        self._numbers = numbers
        self._running: dict[Future[Sequence[Answer]], list[str]] = {}

    def fill(self) -> bool:
        """Start lookups until every thread has one, unless something has ended it; return whether any is under way."""
        threads = self._pool.threads if self._pool.proven else 1
        while self.failure is None and self._pool.patience() == inf and len(self._running) < threads:
            if not (some := list(islice(self._numbers, self._pool.size))):
                break
            self._running[self._start(some)] = some

        return bool(self._running)

    def collect(self) -> Iterator[Answer]:
        """Wait for the next lookups to end and yield their answers."""
        try:
            done = self._wait()
        except (KeyboardInterrupt, Terminated) as interrupt:
            # Lookups under way are paid, so their answers are awaited; a second Ctrl-C ends that too.
            if isinstance(self.failure, (KeyboardInterrupt, Terminated)):
                raise
            self.failure = interrupt
            return

        if not done:
            abandoned, self._running = list(chain.from_iterable(self._running.values())), {}
            yield from map(self._pool.abandon, abandoned)

        for lookup in done:
            del self._running[lookup]
            if (error := lookup.exception()) is not None:
                self.failure = self.failure or error
                continue

            answers = lookup.result()
            self.failure = self.failure or self._pool.judge_call(answers)
            yield from answers

    def _wait(self) -> set[Future[Sequence[Answer]]]:
        """Return lookups that have ended; none where there is no time left to wait for any."""
        while True:
            left_s = self._pool.patience()
            done, _ = wait(self._running, max(0.0, min(left_s, POLL_S)), FIRST_COMPLETED)
            if done or left_s <= 0:
                return done

    def _start(self, numbers: Sequence[str]) -> Future[Sequence[Answer]]:
        """Start a lookup in a thread of its own: a daemon, so that the end of the process hangs on no request."""
        future: Future[Sequence[Answer]] = Future()

        def carry_out() -> None:
            try:
                answers = self._pool.look_up_some(numbers)
            except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is asked for
                future.set_exception(error)
            else:
                future.set_result(answers)

        threading.Thread(target=carry_out, name=f"{self._pool.name}-lookup", daemon=True).start()
        return future


def distinct(numbers: Iterable[str]) -> Iterator[str]:
    """Yield each number once, taking it from ``numbers`` only when it is about to be sent."""
    seen: set[str] = set()

    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number
