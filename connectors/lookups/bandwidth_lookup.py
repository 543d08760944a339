"""Bandwidth: up to 100 numbers are answered at once, more are an order of up to 15,000 whose answers are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from ringfence.core.errors import RetryError
from ringfence.core.model.answers import Order
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .bandwidth_dialect import BandwidthDialect, read_numbers
from .bandwidth_settings import BATCH, NAME, PROFILE, BandwidthSettings
from .exchange import Exchange, Reply, Request
from .free_checks import check_by_get
from .ordering import Ask, Fetched, OrderingHttpLookup
from .provider_settings import reveal
from .refusals import Refusal, refusal_by_status
from .words import as_reference, fold

MOST_ORDERED = 15_000
"""Numbers in one order (Bandwidth's API description, asynchronous bulk lookup)."""

NO_ORDER = "00000000-0000-0000-0000-000000000000"
"""An order that nobody has made: asking for it costs nothing, and is "not found" for those who may ask."""

FAILED = "failed"
DONE = frozenset({"complete", "partial_complete", FAILED})


def connect(settings: BandwidthSettings, services: Services) -> Lookup:
    """Return the connector; no call is made."""
    account = settings.account_id or ""
    (password,) = reveal(settings.password)
    path = f"/v2/accounts/{quote(account, safe='')}/phoneNumberLookup"
    exchange = Exchange(
        NAME,
        PROFILE.title,
        settings.base_url,
        services,
        account=account,
        auth=(settings.username or "", password),
        pace=settings.pace,
    )

    return OrderingHttpLookup(
        PROFILE,
        exchange,
        BandwidthDialect(path),
        BandwidthDesk(f"{path}/bulk"),
        services,
        price=settings.price,
        size=BATCH,
        threads=4,
        free_check=check_by_get(f"{path}/bulk/{NO_ORDER}", (200, 404)),
    )


class BandwidthDesk:
    """See :class:`ringfence.connectors.lookups.ordering.Desk`. ``path`` is that of the account's orders."""

    least = BATCH + 1
    most = MOST_ORDERED

    def __init__(self, path: str) -> None:
        self._path = path

    def order(self, numbers: Sequence[str]) -> Request:
        """Return the request that orders the answers about some numbers."""
        return Request("POST", self._path, json={"phoneNumbers": list(numbers)})

    def refuse(self, reply: Reply) -> Refusal | None:
        """Return what the status says of a refused request."""
        return refusal_by_status(reply)

    def read_order(self, reply: Reply) -> str:
        """Return the reference of an order that was taken."""
        data = reply.mapping.get("data")
        return as_reference(data.get("requestId")) if isinstance(data, dict) else ""

    def says_unknown(self, reply: Reply) -> bool:
        """Return whether Bandwidth knows of no such order: it lists that among its errors."""
        return "errors" in reply.mapping

    def fetch(self, order: Order, ask: Ask) -> Fetched | None:
        """Return what the results of an order say; an order that failed, or that is not known, says nothing."""
        path = f"{self._path}/{quote(order.reference, safe='')}"
        reply = ask(Request("GET", path, numbers=len(order.numbers)))
        if reply.status == 404:
            return Fetched({}, "the order is not known there")

        data = reply.mapping.get("data")
        if not isinstance(data, dict):
            raise RetryError("an answer that is not Bandwidth's")
        state = fold(data.get("status"))
        if state not in DONE:
            return None
        readings = read_numbers(order.numbers, reply.mapping)
        if readings is None and state != FAILED:
            raise RetryError("an order that is done, without its answers")  # asking again costs nothing
        return Fetched(readings or {}, f"order {state}")
