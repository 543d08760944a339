"""Bandwidth: up to 100 numbers are answered at once, more are an order of up to 15,000 whose answers are fetched.

An order is kept by whoever gets it, and its answers can be fetched by another process: fetching is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import inf
from urllib.parse import quote

from ringfence.core.errors import QuotaError, RetryError, UnreachableError
from ringfence.core.model.answers import Answer, Order
from ringfence.core.model.axes import Outcome
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .bandwidth_dialect import BandwidthDialect, read_numbers
from .bandwidth_settings import BATCH, NAME, PROFILE, BandwidthSettings
from .exchange import Exchange, LostError, Reply, Request
from .free_checks import check_by_get
from .http_lookup import HttpLookup, Refusal, refusal_by_status
from .pool import distinct
from .provider_settings import reveal
from .words import as_text, fold

MOST_ORDERED = 15_000
"""Numbers in one order (Bandwidth's API description, asynchronous bulk lookup)."""

NO_ORDER = "00000000-0000-0000-0000-000000000000"
"""An order that nobody has made: asking for it costs nothing, and is "not found" for those who may ask."""

DONE = frozenset({"complete", "partial_complete", "failed"})


def connect(settings: BandwidthSettings, services: Services) -> Lookup:
    """Return the connector; no call is made."""
    return BandwidthLookup(settings, services)


class BandwidthLookup(HttpLookup):
    """See :class:`ringfence.core.ports.lookup.OrderingLookup`. Constructing it makes no call."""

    waits_s = 600.0

    def __init__(self, settings: BandwidthSettings, services: Services) -> None:
        account = settings.account_id or ""
        (password,) = reveal(settings.password)
        path = f"/v2/accounts/{quote(account, safe='')}/phoneNumberLookup"
        self._orders_path = f"{path}/bulk"
        self._patience: Callable[[], float] = services.patience
        exchange = Exchange(
            NAME,
            PROFILE.title,
            settings.base_url,
            services,
            account=account,
            auth=(settings.username or "", password),
            pace=settings.pace,
        )
        super().__init__(
            PROFILE,
            exchange,
            BandwidthDialect(path),
            services,
            price=settings.price,
            size=BATCH,
            threads=4,
            free_check=check_by_get(f"{self._orders_path}/{NO_ORDER}", (200, 404)),
        )

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer | Order]:
        """See :class:`ringfence.core.ports.lookup.Lookup`; more than 100 numbers become orders."""
        left = distinct(numbers)
        while self._patience() == inf and (some := list(islice(left, MOST_ORDERED))):
            yield from super().look_up(some) if len(some) <= BATCH else self._order(some)

    def collect(self, order: Order) -> Iterator[Answer]:
        """See :class:`ringfence.core.ports.lookup.OrderingLookup`."""
        body = self._fetch(order)
        if body is None:
            yield from (self._lost(number, "the order is not known there") for number in dict.fromkeys(order.numbers))
            return

        data = body.mapping.get("data")
        if not isinstance(data, dict):
            raise self._exchange.somebody_else(body.status)
        state = fold(data.get("status"))
        if state not in DONE:
            return
        found = read_numbers(order.numbers, body.mapping) or {}
        for number in dict.fromkeys(order.numbers):
            reading = found.get(number)
            yield self._lost(number, f"order {state}") if reading is None else self._answer(number, reading)

    def _order(self, numbers: Sequence[str]) -> Iterator[Answer | Order]:
        """Order the answers about more than 100 numbers."""
        try:
            reply = self._exchange.repeat("an order", lambda: self._send_order(numbers))
        except LostError as lost:
            yield from (self._lost(number, lost.code) for number in numbers)
            raise self._lost_order(len(numbers)) from None
        except RetryError as error:
            raise QuotaError(
                f"{PROFILE.title} takes no order for now ({error.message}).", "Run again later; nothing is lost."
            ) from None

        if isinstance(reply, Refusal):
            # One number that it does not like must not cost the others their answers: they go in smaller numbers.
            asked_singly = reply.outcome is Outcome.BAD_REQUEST
            yield from super().look_up(numbers) if asked_singly else self._read_refusal(numbers, reply)
            return

        data = reply.mapping.get("data")
        reference = as_text(data.get("requestId")) if isinstance(data, dict) else ""
        if not reference:
            yield from (self._lost(number, "an order without a number") for number in numbers)
            raise self._lost_order(len(numbers))
        yield Order(reference, tuple(numbers))

    def _send_order(self, numbers: Sequence[str]) -> Reply | Refusal:
        reply = self._exchange.send(Request("POST", self._orders_path, json={"phoneNumbers": list(numbers)}))
        if reply.is_html:
            raise self._exchange.somebody_else(reply.status)
        if reply.status in (200, 201, 202):
            return reply

        refusal = refusal_by_status(reply)
        if refusal is None:
            raise self._exchange.somebody_else(reply.status)
        self._raise_for_account(refusal)
        if refusal.outcome is Outcome.RATE_LIMITED:
            raise self._exchange.slow_down(reply, refusal.code)
        return refusal

    def _fetch(self, order: Order) -> Reply | None:
        """Return what has become of an order; None where Bandwidth knows of none."""
        path = f"{self._orders_path}/{quote(order.reference, safe='')}"
        try:
            reply = self._exchange.repeat("the answers to an order", lambda: self._send_fetch(path))
        except RetryError as error:
            raise UnreachableError(
                f"{PROFILE.title} does not tell what became of an order ({error.message}).",
                "Run again later; the order is kept.",
            ) from None
        return None if reply.status == 404 else reply

    def _send_fetch(self, path: str) -> Reply:
        try:
            reply = self._exchange.send(Request("GET", path))
        except LostError as lost:
            raise RetryError(lost.code) from None  # asking again what became of it costs nothing

        if reply.status == 200 or (reply.status == 404 and "errors" in reply.mapping):
            return reply
        refusal = None if reply.is_html or reply.status == 404 else refusal_by_status(reply)
        if refusal is None:
            raise self._exchange.somebody_else(reply.status)
        self._raise_for_account(refusal)
        if refusal.outcome is Outcome.RATE_LIMITED:
            raise self._exchange.slow_down(reply, refusal.code)
        raise RetryError(refusal.code)

    def _lost_order(self, count: int) -> UnreachableError:
        return UnreachableError(
            f"{PROFILE.title} was sent an order for {count} numbers, and its answer did not come.",
            "They may have been billed and are not bought again. Look at the account's orders, then run again.",
        )
