"""A lookup provider over HTTP: its dialect makes requests and reads answers, and all that providers share is here.

A dialect never decides what an answer means for the run. It tells what a body says, number by number, or why the whole
request was refused; from that follows here whether a question is answered, repeated, lost, or the provider left out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Protocol

from ringfence.core.clock import whole_seconds
from ringfence.core.errors import AuthenticationError, QuotaError, RetryError, StoppedError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind, Order
from ringfence.core.model.axes import Outcome
from ringfence.core.ports.lookup import NOT_ASKED, ProviderProfile
from ringfence.core.ports.services import Clock, Services

from .exchange import Exchange, LostError, Reply, Request
from .pool import HEAVY, THREADS, LookupPool
from .reading import Reading, to_answer
from .refusals import Refusal

logger = logging.getLogger(__name__)

MOST_THREADS = 64
MOST_HALVINGS = 50
"""How often a call that is refused as a bad request is halved, to find the numbers that the provider dislikes."""

SLOWEST_ANSWER_S = 0.5
"""How long an answer may take for a provider to be asked at its full pace."""


class Dialect(Protocol):
    """What is particular to one provider."""

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about these E.164 numbers."""
        ...

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the answer says by E.164 number, or why it says nothing; None where it is not the provider's."""
        ...


def threads_for(pace: float | None) -> int:
    """Return how many calls are under way at once so that a pace in calls a second can be reached."""
    return THREADS if pace is None else min(MOST_THREADS, max(THREADS, ceil(pace * SLOWEST_ANSWER_S)))


class HttpLookup:
    """See :class:`ringfence.core.ports.lookup.Lookup`. Constructing it makes no call.

    ``price`` is what one number costs, in the currency of the settings, None where nobody knows; ``size`` is how many
    numbers go into one request. ``free_check`` makes the call that finds out for nothing whether the credentials work;
    without one, ``why_no_check`` says why there is none. ``credentials`` names their settings. ``describe_refusal``
    returns the sentence for what the account is not entitled to, from its code and whether the lookup is billed all the
    same.
    """

    def __init__(
        self,
        profile: ProviderProfile,
        exchange: Exchange,
        dialect: Dialect,
        services: Services,
        *,
        price: float | None,
        size: int = 1,
        threads: int = THREADS,
        free_check: Callable[[Exchange], Refusal | None] | None = None,
        why_no_check: str = "It has no call that is free: the credentials are tried by the first lookup.",
        credentials: str = "",
        describe_refusal: Callable[[str, bool], str] | None = None,
    ) -> None:
        self.name = exchange.name
        self.realm = exchange.realm
        self.price = price
        self.pace = exchange.pace
        self.profile = profile
        self._exchange = exchange
        self._dialect = dialect
        self._clock: Clock = services.clock
        self._free_check = free_check
        self._why_no_check = why_no_check
        self._credentials = credentials
        self._describe_refusal = describe_refusal or self._describe
        self._told: set[str] = set()
        self._stopped: AuthenticationError | QuotaError | None = None
        self._pool = LookupPool(
            self.name,
            self._look_up_some,
            self._give_up,
            self._abandon,
            services.patience,
            _weigh,
            threads=threads,
            size=size,
        )

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer | Order]:
        """See :class:`ringfence.core.ports.lookup.Lookup`.

        Answers that are on their way when the provider refuses us, at Ctrl-C or at SIGTERM, are still yielded, because
        they are paid, before the error or the interrupt is raised.
        """
        self._stopped = None
        yield from self._pool.look_up(numbers)
        if self._stopped is not None:
            raise self._stopped

    def check(self) -> str | None:
        """See :class:`ringfence.core.ports.lookup.Lookup`."""
        if self._free_check is None:
            return self._why_no_check
        try:
            refusal = self._exchange.repeat("a check", lambda: self._free_check(self._exchange))  # type: ignore[misc]
        except (LostError, RetryError) as error:
            raise UnreachableError(f"{self.profile.title} did not answer.", "Run again later.") from error
        if refusal is not None:
            self._raise_for_account(refusal)
            if refusal.outcome is Outcome.NOT_PERMITTED:
                raise AuthenticationError(
                    f"{self.profile.title} does not permit this account to look numbers up ({refusal.code}).",
                    f"Ask {self.profile.title} to enable it.",
                )
            raise UnreachableError(f"{self.profile.title} refused the check ({refusal.code}).", "Run again later.")
        return None

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def _look_up_some(self, numbers: Sequence[str], halvings: list[int] | None = None) -> Sequence[Answer]:
        """Return the answers of one call; ``halvings`` holds how often a refused one may still be halved."""
        left = [MOST_HALVINGS] if halvings is None else halvings
        if self._stopped is not None:
            return [Answer(number, AnswerKind.FAILED, self._now(), code=NOT_ASKED, paid=False) for number in numbers]
        try:
            return self._exchange.repeat("a lookup", lambda: self._request(numbers, left))
        except RetryError as error:
            facts = Reading(Outcome.RATE_LIMITED, error.message, paid=False)
            return [to_answer(number, facts, self._now()) for number in numbers]

    def _request(self, numbers: Sequence[str], halvings: list[int]) -> Sequence[Answer]:
        try:
            reply = self._exchange.send(replace(self._dialect.ask(numbers), numbers=len(numbers)))
        except LostError as lost:
            return [self._lost(number, lost.code, lost.outcome) for number in numbers]

        read = self._dialect.read(numbers, reply)
        if read is None:
            return self._read_another(numbers, reply)
        if isinstance(read, Refusal):
            return self._refuse(numbers, reply, read, halvings)
        self._exchange.speed_up()
        return self._take(numbers, read)

    def _take(self, numbers: Sequence[str], read: Mapping[str, Reading]) -> Sequence[Answer]:
        """Return the answers about the numbers of one call.

        Where credit ran out among them those that were answered are paid for, so they count; the rest was not billed,
        and the lookups end.
        """
        answers = []
        for number in numbers:
            reading = read.get(number)
            stop = self._account_error(reading.outcome, reading.code) if reading is not None else None
            if stop is None:
                answers.append(self._answer(number, reading))
            else:
                self._stopped = stop
        if self._stopped is not None and not answers:
            raise self._stopped
        return answers

    def _answer(self, number: str, reading: Reading | None) -> Answer:
        if reading is None:
            return self._lost(number, "left out of the answer")
        self._tell_once(reading.outcome, reading.code, paid=reading.paid)
        if reading.outcome is Outcome.RATE_LIMITED:
            self._exchange.slow_down_after_answer()
        return to_answer(number, reading, self._now())

    def _refuse(self, numbers: Sequence[str], reply: Reply, refusal: Refusal, halvings: list[int]) -> Sequence[Answer]:
        """Return the answers that a refused request amounts to; raise where none can be had."""
        self._raise_for_account(refusal)
        if refusal.outcome is Outcome.RATE_LIMITED:
            raise self._exchange.slow_down(reply, refusal.code)
        if refusal.outcome is Outcome.BAD_REQUEST and len(numbers) > 1 and halvings[0] > 0:
            halvings[0] -= 1
            # One number that the provider does not like must not cost the others their answers; nothing was billed.
            middle = len(numbers) // 2
            first = self._look_up_some(numbers[:middle], halvings)
            return [*first, *self._look_up_some(numbers[middle:], halvings)]
        return self._read_refusal(numbers, refusal)

    def _read_refusal(self, numbers: Sequence[str], refusal: Refusal) -> Sequence[Answer]:
        """Return what a refused request says of each of its numbers."""
        self._tell_once(refusal.outcome, refusal.code, paid=refusal.paid)
        reading = Reading(refusal.outcome, refusal.code, paid=refusal.paid)
        if refusal.outcome is Outcome.BAD_REQUEST and (len(numbers) > 1 or not self._pool.proven):
            # An address that leads elsewhere knows no number at all; and which number of several it was is not known.
            reading = Reading(Outcome.PROVIDER_ERROR, refusal.code, paid=False)
        return [to_answer(number, reading, self._now()) for number in numbers]

    def _read_another(self, numbers: Sequence[str], reply: Reply) -> Sequence[Answer]:
        """Return the failures of numbers that somebody else answered; raise where the provider was never heard."""
        if not self._pool.proven:
            raise self._exchange.somebody_else(reply.status)
        if reply.status == 200 and not reply.content:  # the provider's own, and cut off: what it is about was done
            return [self._lost(number, "an empty answer") for number in numbers]
        code = f"HTTP {reply.status} that is not {self.profile.title}'s"
        reading = Reading(Outcome.PROVIDER_ERROR, code, paid=reply.status == 200)
        return [to_answer(number, reading, self._now()) for number in numbers]

    def _raise_for_account(self, refusal: Refusal) -> None:
        """Raise where the account can look nothing up."""
        if (error := self._account_error(refusal.outcome, refusal.code)) is not None:
            raise error

    def _account_error(self, outcome: Outcome, code: str) -> AuthenticationError | QuotaError | None:
        """Return the error for an outcome that is true of the account, and of every number; None for others."""
        setting = self.name.upper().replace("-", "_")
        if outcome is Outcome.AUTH_FAILED:
            return AuthenticationError(
                f"{self.profile.title} does not accept the credentials ({code}).",
                f"Check {self._credentials or f'RINGFENCE_{setting}__*; .env.example lists them'}.",
            )
        if outcome is Outcome.OUT_OF_CREDIT:
            return QuotaError(
                f"The account at {self.profile.title} is out of credit ({code}).",
                "Top it up, or wait until its quota is renewed; nothing is lost.",
            )
        return None

    def _tell_once(self, outcome: Outcome, code: str, *, paid: bool) -> None:
        if outcome is Outcome.NOT_PERMITTED and code not in self._told:
            self._told.add(code)
            logger.warning("%s", self._describe_refusal(code, paid))

    def _describe(self, code: str, paid: bool) -> str:
        billed = " Each lookup is billed all the same." if paid else ""
        return (
            f"{self.profile.title} does not tell all that it is asked: the account is not entitled to it ({code}). "
            f"Numbers keep what is known without it. Ask {self.profile.title} to enable it, or take {self.name} off "
            f"RINGFENCE_LOOKUP__PROVIDERS.{billed}"
        )

    def _give_up(self, last: Answer, failed: int) -> StoppedError:
        """Return the error that ends the lookups after so many numbers in a row without an answer."""
        title = self.profile.title
        if last.kind is AnswerKind.LOST:
            return UnreachableError(
                f"The answers of {title} to {failed} numbers in a row did not come or were lost (the last: "
                f"{last.code}).",
                f"They may have been billed and are not bought again. Look at the status of {title}, then run again.",
            )
        message = f"{title} refused {failed} numbers in a row ({last.code})."
        if last.outcome is Outcome.RATE_LIMITED:
            return QuotaError(message, "Other programs use up the account's rate; run again later.")
        if not self._pool.proven:
            return UnreachableError(message, self._exchange.check_address)
        return UnreachableError(message, "Run again later; nothing is lost.")

    def _abandon(self, e164: str) -> Answer:
        return self._lost(e164, "not waited for", Outcome.TIMEOUT)

    def _lost(self, e164: str, code: str, outcome: Outcome = Outcome.PROVIDER_ERROR) -> Answer:
        return Answer(e164, AnswerKind.LOST, self._now(), code=code, outcome=outcome)

    def _now(self) -> datetime:
        return whole_seconds(self._clock.now())


def _weigh(answer: Answer) -> int:
    """Return for how many failures one counts; a number refused for the rate was asked about again and again."""
    return HEAVY if answer.kind is AnswerKind.LOST or answer.outcome is Outcome.RATE_LIMITED else 1
