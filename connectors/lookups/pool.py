"""Parallel lookups: many numbers, one call for each, over a few threads.

What a provider's module brings is one function: an E.164 number in, its answer out. Everything that providers share is
here, so that a second one needs no copy: each number is sent once, an answer that is paid for is never dropped, and a
provider that refuses one number after the other is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from ringfence.core.errors import StoppedError
from ringfence.core.model.answers import Answer, AnswerKind

THREADS = 8
MOST_REFUSED = 3 * THREADS
"""Numbers refused in a row, each after all of its attempts, before the rest is left for another run."""


@dataclass(frozen=True, slots=True)
class LookupPool:
    """Looks numbers up in parallel.

    ``name`` names the threads. ``look_up_one`` returns one number's answer, its retries included, and raises where no
    number can be answered. ``give_up`` makes the error, from a refusal's code, that ends the lookups after
    ``most_refused`` numbers in a row were refused without a charge.
    """

    name: str
    look_up_one: Callable[[str], Answer]
    give_up: Callable[[str], StoppedError]
    threads: int = THREADS
    most_refused: int = MOST_REFUSED

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Look each E.164 number up once, yielding each answer as it comes.

        Answers that are on their way when a lookup raises, or at Ctrl-C, are still yielded, because they are paid,
        before that error, the one of ``give_up`` or KeyboardInterrupt is raised.
        """
        run = _PoolRun(self, _distinct(numbers))

        with ThreadPoolExecutor(self.threads, thread_name_prefix=self.name) as executor:
            while run.fill(executor):
                yield from run.collect()

        if run.failure is not None:
            raise run.failure


class _PoolRun:
    """The state of one call of ``look_up``: numbers to come, lookups under way, and what ended it."""

    def __init__(self, pool: LookupPool, numbers: Iterator[str]) -> None:
        self.failure: BaseException | None = None
        self._pool = pool
        self._numbers = numbers
        self._running: set[Future[Answer]] = set()
        self._refused = 0

    def fill(self, executor: ThreadPoolExecutor) -> bool:
        """Start lookups until every thread has one, unless something failed; return whether any is under way."""
        while self.failure is None and len(self._running) < self._pool.threads:
            if (number := next(self._numbers, None)) is None:
                break
            self._running.add(executor.submit(self._pool.look_up_one, number))

        return bool(self._running)

    def collect(self) -> Iterator[Answer]:
        """Wait for the next lookups to end and yield their answers."""
        try:
            done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
        except KeyboardInterrupt as interrupt:
            # Lookups under way are paid, so their answers are awaited; a second Ctrl-C ends that too.
            if isinstance(self.failure, KeyboardInterrupt):
                raise
            self.failure = interrupt
            return

        for lookup in done:
            if (error := lookup.exception()) is not None:
                self.failure = self.failure or error
                continue

            answer = lookup.result()
            self._count_refusals(answer)
            yield answer

    def _count_refusals(self, answer: Answer) -> None:
        refused = answer.kind is AnswerKind.FAILED and not answer.paid
        self._refused = self._refused + 1 if refused else 0

        if self._refused >= self._pool.most_refused:
            self.failure = self.failure or self._pool.give_up(answer.code)


def _distinct(numbers: Iterable[str]) -> Iterator[str]:
    """Yield each number once, taking it from ``numbers`` only when it is about to be sent."""
    seen: set[str] = set()

    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number
