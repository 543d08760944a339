"""The free call by which a provider's credentials are tried."""

from __future__ import annotations

from collections.abc import Callable, Container

from .exchange import Exchange, Request
from .refusals import Refusal, refusal_by_status


def check_by_get(path: str, works: Container[int] = (200,)) -> Callable[[Exchange], Refusal | None]:
    """Return the check that reads ``path``: a status of ``works`` says that the credentials work.

    It raises UnreachableError where somebody else answers than the provider.
    """

    def check(exchange: Exchange) -> Refusal | None:
        reply = exchange.send(Request("GET", path))
        if reply.is_html:
            raise exchange.somebody_else(reply.status)
        if reply.status in works:
            return None
        if (refusal := refusal_by_status(reply)) is None:
            raise exchange.somebody_else(reply.status)
        return refusal

    return check
