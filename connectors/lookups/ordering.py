"""A provider that answers few numbers at once and takes many as an order, whose answers are fetched later.

Its desk knows the provider's requests. What follows from an answer is here, the same for all: an order is sent once,
whoever has its reference can fetch the answers, also another process, and fetching is free and so repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Any, Protocol

from ringfence.core.errors import QuotaError, RetryError, Terminated, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind, Order
from ringfence.core.model.axes import Outcome
from ringfence.core.ports.lookup import NOT_ASKED, ProviderProfile
from ringfence.core.ports.services import Services

from .exchange import Exchange, LostError, Reply, Request
from .http_lookup import Dialect, HttpLookup
from .pool import distinct
from .reading import Reading
from .refusals import Refusal

TAKEN = frozenset({200, 201, 202})
"""Statuses that say that an order was taken."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an order has brought, by E.164 number; ``otherwise`` says why it will never tell of the numbers missing."""

    readings: Mapping[str, Reading]
    otherwise: str


Ask = Callable[[Request], Reply]
"""Sends a request that costs nothing and returns the answer: a 200, or a 404 in the provider's own words.

It raises RetryError for what may pass, and AuthenticationError, QuotaError or UnreachableError for the rest.
"""


class Desk(Protocol):
    """Where one provider takes its orders: ``least`` numbers make one, and ``most`` fit into it."""

    least: int
    most: int

    def order(self, numbers: Sequence[str]) -> Request:
        """Return the request that orders the answers about these E.164 numbers."""
        ...

    def refuse(self, reply: Reply) -> Refusal | None:
        """Return why a request was refused; None for a good answer, and for one that is not the provider's."""
        ...

    def read_order(self, reply: Reply) -> str:
        """Return the reference of an order that was taken; empty where the answer has none."""
        ...

    def says_unknown(self, reply: Reply) -> bool:
        """Return whether a 404 is the provider's own word that it knows of no such order."""
        ...

    def fetch(self, order: Order, ask: Ask) -> Fetched | None:
        """Return what has become of an order, None while it is under way. Raises as ``ask``, and RetryError."""
        ...


class OrderingHttpLookup(HttpLookup):
    """See :class:`ringfence.core.ports.lookup.OrderingLookup`. Constructing it makes no call.

    ``options`` are those of :class:`HttpLookup`.
    """

    waits_s = 600.0

    def __init__(
        self,
        profile: ProviderProfile,
        exchange: Exchange,
        dialect: Dialect,
        desk: Desk,
        services: Services,
        **options: Any,
    ) -> None:
        super().__init__(profile, exchange, dialect, services, **options)
        self._desk = desk
        self._patience: Callable[[], float] = services.patience

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer | Order]:
        """See :class:`ringfence.core.ports.lookup.Lookup`; as many numbers as make an order become one."""
        left = distinct(numbers)
        least = self._desk.least

        # No more are taken than it needs to see which way they go: taken and not sent is in doubt after a kill.
        while self._patience() == inf and (some := list(islice(left, least))):
            if len(some) < least:
                yield from self._ask_at_once(some)
            else:
                yield from self._order([*some, *islice(left, self._desk.most - least)])

    def collect(self, order: Order) -> Iterator[Answer]:
        """See :class:`ringfence.core.ports.lookup.OrderingLookup`."""
        try:
            fetched = self._exchange.repeat("the answers to an order", lambda: self._desk.fetch(order, self._ask_free))
        except RetryError as error:
            raise UnreachableError(
                f"{self.profile.title} does not tell what became of an order ({error.message}).",
                "Run again later; the order is kept.",
            ) from None

        if fetched is None:
            return
        for number in dict.fromkeys(order.numbers):
            reading = fetched.readings.get(number)
            yield self._lost(number, fetched.otherwise) if reading is None else self._answer(number, reading)

    def _ask_at_once(self, numbers: Sequence[str]) -> Iterator[Answer | Order]:
        """Ask without an order; what was not sent when the process is asked to end is told, for it was not billed."""
        left = iter(numbers)
        try:
            yield from super().look_up(left)
        except (KeyboardInterrupt, Terminated):
            yield from self._not_asked(left)
            raise
        yield from self._not_asked(left)

    def _order(self, numbers: Sequence[str]) -> Iterator[Answer | Order]:
        """Order the answers, with one request that is repeated only where it surely was not carried out."""
        try:
            reply = self._exchange.repeat("an order", lambda: self._send_order(numbers))
        except LostError as lost:
            yield from (self._lost(number, lost.code, lost.outcome) for number in numbers)
            raise self._lost_order(len(numbers)) from None
        except RetryError as error:
            raise QuotaError(
                f"{self.profile.title} takes no order for now ({error.message}).", "Run again later; nothing is lost."
            ) from None

        if isinstance(reply, Refusal):
            # One number that it does not like must not cost the others their answers: they go in smaller numbers.
            goes_singly = reply.outcome is Outcome.BAD_REQUEST
            yield from self._ask_at_once(numbers) if goes_singly else self._read_refusal(numbers, reply)
            return
        if not reply:
            yield from (self._lost(number, "an order without a number") for number in numbers)
            raise self._lost_order(len(numbers))
        yield Order(reply, tuple(numbers))

    def _send_order(self, numbers: Sequence[str]) -> str | Refusal:
        reply = self._exchange.send(self._desk.order(numbers))
        refusal = None if reply.is_html else self._desk.refuse(reply)
        if refusal is None:
            if reply.is_html or reply.status not in TAKEN:
                raise self._exchange.somebody_else(reply.status)
            return self._desk.read_order(reply)

        self._raise_for_all(reply, refusal)
        if refusal.outcome is Outcome.TIMEOUT:  # it may have been taken, and nobody can tell by which reference
            raise LostError(refusal.code)
        return refusal

    def _ask_free(self, request: Request) -> Reply:
        """See :data:`Ask`."""
        try:
            reply = self._exchange.send(request)
        except LostError as lost:
            raise RetryError(lost.code) from None  # asking again costs nothing

        if reply.status == 404 and self._desk.says_unknown(reply):
            return reply
        refusal = None if reply.is_html or reply.status == 404 else self._desk.refuse(reply)
        if refusal is None:
            if reply.is_html or reply.status != 200:
                raise self._exchange.somebody_else(reply.status)
            return reply

        self._raise_for_all(reply, refusal)
        raise RetryError(refusal.code)

    def _raise_for_all(self, reply: Reply, refusal: Refusal) -> None:
        """Raise where a refusal is about the account, or about the pace."""
        self._raise_for_account(refusal)
        if refusal.outcome is Outcome.RATE_LIMITED:
            raise self._exchange.slow_down(reply, refusal.code)

    def _not_asked(self, numbers: Iterable[str]) -> Iterator[Answer]:
        for number in numbers:
            yield Answer(number, AnswerKind.FAILED, self._now(), code=NOT_ASKED, paid=False)

    def _lost_order(self, count: int) -> UnreachableError:
        return UnreachableError(
            f"{self.profile.title} was sent an order for {count} numbers, and its answer did not come.",
            "They may have been billed and are not bought again. Look at the account's orders, then run again.",
        )
