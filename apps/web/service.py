"""What every route of the service works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from ringfence.core.ports.jobs import JobEngine
from ringfence.core.ports.services import Clock
from ringfence.core.state.store import Store

from ..operations.answers import Answerer
from ..operations.door import Door
from ..operations.signals import SignalDoor
from ..wiring import Wiring


@dataclass(frozen=True, slots=True)
class Service:
    """The open state store and its jobs, the settings, and the door that nobody stands behind.

    It lives as long as the process. Operations that open a store of their own, as the command line's do, take
    ``wiring``; what answers within milliseconds takes ``store``. ``port`` is the one that it listens on, None: that of
    the settings. ``is_working`` tells whether this process works jobs off. ``answerer`` and ``signals`` are made of
    wiring and store; making them raises the errors of the wiring.
    """

    wiring: Wiring
    store: Store
    jobs: JobEngine
    door: Door
    port: int | None = None
    is_working: Callable[[], bool] = lambda: True
    answerer: Answerer = field(init=False)
    signals: SignalDoor = field(init=False)

    def __post_init__(self) -> None:
        """Read policy, providers and words once, so that no request has to."""
        object.__setattr__(self, "answerer", Answerer(self.wiring, self.store))
        object.__setattr__(self, "signals", SignalDoor(self.wiring, self.store, self.jobs))

    @property
    def clock(self) -> Clock:
        """Return the clock that every moment comes from."""
        return self.wiring.clock

    @property
    def ledger(self) -> str:
        """Return the name of the suppression ledger that the service asks; "" is the one that accounts share."""
        return self.wiring.settings.ledger or ""

    @property
    def public_url(self) -> str:
        """Return the address under which others call, without a slash at its end: signatures are made over it."""
        return self.wiring.settings.serve.address(self.port)


async def find_service(request: Request) -> Service:  # one that is not async would be called in a thread of its own
    """Return what a route works with."""
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(find_service)]
"""The type of a route's parameter that is given the service."""
