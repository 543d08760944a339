"""ITG Global Screening: a platform without an API, whose numbers and answers travel as files.

What a run would ask is put on order and waits in the state. Nothing is held meanwhile: no thread, no connection, no
lease. A person takes the numbers out, has them screened, and brings the answers back; the next run uses them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from ringfence.core.model.answers import Answer, Order
from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .itg_settings import NAME, PROFILE, ItgSettings

REALM = f"{NAME}:files"


class ItgLookup:
    """See :class:`ringfence.core.ports.lookup.OrderingLookup`."""

    name = NAME
    realm = REALM
    profile = PROFILE
    pace: float | None = None
    waits_s = 0.0

    def __init__(self, settings: ItgSettings, services: Services) -> None:
        self.price = settings.price
        self._clock = services.clock

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer | Order]:
        """Put the numbers on one order, for the next file."""
        taken = tuple(dict.fromkeys(numbers))
        if taken:
            yield Order(f"{self._clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}", taken)

    def collect(self, order: Order) -> Iterator[Answer]:  # noqa: ARG002 - of the contract
        """Yield nothing: the answers come by a file, which a person imports."""
        return iter(())

    def check(self) -> str | None:
        """Return that there is nothing to check."""
        return "It has no API: a person carries the files, and there are no credentials to try."

    def close(self) -> None:
        """Do nothing: no connection is open."""


def _connect(settings: ItgSettings, services: Services) -> Lookup:
    return ItgLookup(settings, services)


plugin = LookupPlugin(
    name=NAME, settings=ItgSettings, configured=lambda _settings: True, connect=_connect, profile=PROFILE
)
"""The provider as the registry finds it."""
