"""ClearoutPhone: few numbers are asked about one by one, many go out as a file and are an order.

An order takes three free questions: how far it is, where its answers lie, and the file of answers itself. That lies
wherever ClearoutPhone says, so the token stays away from it: the address alone opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ringfence.core.config.addresses import is_loopback
from ringfence.core.errors import RetryError, UnreachableError
from ringfence.core.model.answers import Order
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .clearoutphone_dialect import ClearoutPhoneDialect, check_credits, read_refusal
from .clearoutphone_file import ResultError, read_result, write_numbers
from .clearoutphone_settings import MOST_IN_A_FILE, NAME, PROFILE, ClearoutPhoneSettings
from .exchange import Exchange, LostError, Reply, Request
from .http_lookup import threads_for
from .ordering import Ask, Fetched, OrderingHttpLookup
from .provider_settings import reveal
from .refusals import Refusal
from .words import as_reference, as_text, fold

ORDERS_PATH = "/phonenumber/bulk"
PROGRESS_PATH = f"{ORDERS_PATH}/progress_status"
RESULT_PATH = "/download/result"

DONE = "completed"
DEAD = frozenset({"failed", "cancelled", "canceled"})
"""States in which an order never brings an answer; a state that nobody knows is waited out."""

Fetch = Callable[[str], bytes]
"""Returns the file of answers at an address. Raises RetryError, and UnreachableError for an unsafe address."""


def connect(settings: ClearoutPhoneSettings, services: Services) -> Lookup:
    """Return the connector; no call is made."""
    (token,) = reveal(settings.api_token)
    threads = threads_for(settings.pace)
    exchange = Exchange(
        NAME,
        PROFILE.title,
        settings.base_url,
        services,
        headers={"Authorization": f"Bearer:{token}"},  # as the vendor has it: a colon, and no space
        pace=settings.pace,
        connections=threads,
    )

    return OrderingHttpLookup(
        replace(PROFILE, batch=settings.bulk_from),
        exchange,
        ClearoutPhoneDialect(settings.price),
        ClearoutPhoneDesk(settings.bulk_from, lambda address: fetch_file(address, services)),
        services,
        price=settings.price,
        threads=threads,
        free_check=check_credits,
    )


class ClearoutPhoneDesk:
    """See :class:`ringfence.connectors.lookups.ordering.Desk`. ``least`` numbers make an order."""

    most = MOST_IN_A_FILE

    def __init__(self, least: int, fetch_file: Fetch) -> None:
        self.least = least
        self._fetch_file = fetch_file

    def order(self, numbers: Sequence[str]) -> Request:
        """Return the request that hands a file of numbers in."""
        return Request("POST", ORDERS_PATH, files={"file": ("numbers.csv", write_numbers(numbers), "text/csv")})

    def refuse(self, reply: Reply) -> Refusal | None:
        """Return what a refused request says."""
        return read_refusal(reply)

    def read_order(self, reply: Reply) -> str:
        """Return the id of the list that was taken."""
        return as_reference(_data(reply).get("list_id"))

    def says_unknown(self, reply: Reply) -> bool:
        """Return whether ClearoutPhone knows of no such list: its errors are objects."""
        return isinstance(reply.mapping.get("error"), dict)

    def fetch(self, order: Order, ask: Ask) -> Fetched | None:
        """Return what the file of answers says once the order is done."""
        progress = ask(Request("GET", PROGRESS_PATH, params={"list_id": order.reference}))
        if progress.status == 404:
            return Fetched({}, "the order is not known there")
        state = fold(_data(progress).get("progress_status"))
        if state in DEAD:
            return Fetched({}, f"order {state}")
        if state != DONE:
            return None

        place = ask(Request("POST", RESULT_PATH, json={"list_id": order.reference}))
        if not (address := as_text(_data(place).get("url"))):
            raise RetryError("it does not say where the answers lie")
        try:
            return Fetched(read_result(order.numbers, self._fetch_file(address)), "left out of the answers")
        except ResultError as error:
            raise RetryError(str(error)) from None


def fetch_file(address: str, services: Services) -> bytes:
    """Return the file at an address, asked for without credentials.

    Raises RetryError where it does not come whole, and UnreachableError for an address that is unsafe.
    """
    origin, rest = _split(address)
    with closing(Exchange(NAME, PROFILE.title, origin, services)) as exchange:
        try:
            reply = exchange.send(Request("GET", rest, numbers=MOST_IN_A_FILE))
        except LostError as lost:
            raise RetryError(lost.code) from None
    if reply.status != 200 or reply.is_html:
        raise RetryError(f"HTTP {reply.status} in place of its file of answers")
    return reply.content


def _split(address: str) -> tuple[str, str]:
    """Return scheme and host of an address, and what stands behind them; the address itself is told to nobody."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    except ValueError:
        host, is_safe = "", False
    if not host or not is_safe or parts.username is not None or not address.isascii() or not address.isprintable():
        raise UnreachableError(
            f"{PROFILE.title} names an address for its answers that is no https:// address.",
            "Nothing was fetched, and the order is kept. Ask ClearoutPhone what became of its files.",
        )
    return f"{parts.scheme}://{parts.netloc}", parts._replace(scheme="", netloc="", fragment="").geturl()


def _data(reply: Reply) -> dict[str, Any]:
    data = reply.mapping.get("data")
    return data if isinstance(data, dict) else {}
