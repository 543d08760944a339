"""Who calls: the token in a request, what its role allows, and how often it may call."""

from __future__ import annotations

import hashlib
import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from ringfence.core.errors import RingfenceError
from ringfence.core.model.roles import Role
from ringfence.core.ports.services import Clock
from ringfence.core.state.store import Store
from ringfence.core.state.tokens import Token, find_token

from .denials import UNKNOWN, Denials
from .gate import find_route
from .metrics import count
from .problems import ProblemError
from .rates import Rates

KNOWN_S = 3.0
"""For how many seconds a token is believed before the store is asked again: no longer does a revoked one count."""

FORM_RATE = 20
"""Requests a second of a token of the role form: of all visitors of a web page together."""

_MOST_KNOWN = 10_000
_SCHEME = "bearer"
_LONGEST_TOKEN = 200
_CHALLENGE = {"WWW-Authenticate": "Bearer"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever called: the name of the token, which is the author of what it does, and its role."""

    name: str
    role: Role


class Callers:
    """Those who may call the service of one process: their tokens, their rates, and what they were denied."""

    def __init__(self, store: Store, clock: Clock, rate: float) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Token | None]] = OrderedDict()
        self.rates = Rates(rate, clock.monotonic)
        self.form_rates = Rates(min(rate, FORM_RATE), clock.monotonic)
        self.denials = Denials(store, clock)

    async def find(self, given: str) -> Token | None:
        """Return whose token it is; None where it is nobody's. Raises the state's errors."""
        key = hashlib.sha256(given.encode()).digest()
        until, token = self._known.get(key, (-math.inf, None))
        if self._clock.monotonic() < until:
            return token
        asked_at = self._clock.monotonic()
        token = await run_in_threadpool(self._read, given)
        self._known[key] = asked_at + KNOWN_S, token
        self._known.move_to_end(key)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return token

    def _read(self, given: str) -> Token | None:
        with self._store.transaction() as connection:
            return find_token(connection, given)

    def take(self, token: Token) -> float:
        """Take one request of a token's rate; return 0, or after how many seconds the next one may come."""
        return (self.form_rates if token.role is Role.FORM else self.rates).take(token.name)

    async def forbid(
        self, request: Request, caller: Caller, reason: str, detail: str, code: str = "forbidden"
    ) -> ProblemError:
        """Return the error for an act that a caller may not do, once that is in the audit log with its reason."""
        await self.deny(403, caller.name, f"{request.method} {find_route(request.scope)}", reason)
        return ProblemError(403, detail, code=code)

    async def deny(self, status: int, caller: str, subject: str, reason: str) -> None:
        """Count a denied act, and enter it into the audit log; that this cannot be done lets nobody in."""
        count("denied", status=str(status))
        with suppress(RingfenceError):
            await run_in_threadpool(self.denials.enter, caller, subject, reason)


def needs(role: Role) -> Callable[[Request], Awaitable[Caller]]:
    """Return the dependency of a route that only callers of a role may use.

    It raises ProblemError: 401 without a token that counts, 403 for one of another role, 429 for one that calls too
    often.
    """

    async def find_caller(request: Request) -> Caller:
        callers: Callers = request.app.state.callers
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        given = given.strip()
        is_token = scheme.lower() == _SCHEME and 0 < len(given) <= _LONGEST_TOKEN
        token = await callers.find(given) if is_token else None
        subject = f"{request.method} {find_route(request.scope)}"
        if token is None:
            await callers.deny(401, UNKNOWN, subject, "no token that counts")
            raise ProblemError(
                401,
                "A token is missing or counts no more. Send Authorization: Bearer TOKEN.",
                code="unauthorized",
                headers=_CHALLENGE,
            )
        request.state.caller = token.name
        if not token.role.may(role):
            await callers.deny(403, token.name, subject, f"has the role {token.role}, needs {role}")
            raise ProblemError(403, f"The token has the role {token.role}, and this needs {role}.", code="forbidden")
        if wait_s := callers.take(token):
            count("http_refused", reason="rate")
            raise ProblemError(
                429,
                "This token calls more often than it may. Call again.",
                code="rate",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )
        return Caller(token.name, token.role)

    find_caller.role = role  # type: ignore[attr-defined] # the description of the API reads it
    return find_caller
