"""What a sandbox account of Twilio holds: credentials, rate limit, and how often each number was billed."""

from __future__ import annotations

import base64
import hmac
from collections import Counter
from collections.abc import Mapping
from random import Random
from threading import RLock
from typing import Any

from starlette.responses import Response

from ..clock import SandboxClock
from ..fault_gate import FaultGate
from ..rates import RollingWindow
from .traits import TwilioTraits


class TwilioAccount:
    """An account with its credentials; `requests_per_second` is its rate limit.

    `requests` counts what came in, `billed` the paid lookups of each number (E.164): neither the validation alone nor
    a package that failed before the network was asked costs anything. Tests may set `answers`, which replaces parts of
    an answer (E.164 -> top-level keys of the body), and `window.limit`, the rate limit. `failing` holds the error code
    of each package that fails just now. `traits` are what the account is like; tests may set others.
    """

    def __init__(
        self,
        *,
        clock: SandboxClock,
        seed: int = 7,
        requests_per_second: int = 300,
        traits: TwilioTraits | None = None,
    ) -> None:
        rng = Random(seed)  # noqa: S311 -- made-up credentials for loopback, not a secret
        self.clock = clock
        self.traits = traits or TwilioTraits()
        self.lock = RLock()
        self.sid = f"AC{rng.randbytes(16).hex()}"
        self.auth_token = rng.randbytes(16).hex()

        self.requests: Counter[str] = Counter()
        self.billed: Counter[str] = Counter()
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.failing: Mapping[str, int] = {}
        self.window = RollingWindow(requests_per_second, 1)
        self.faults: FaultGate[Response] | None = None

    def is_authorised(self, authorization: str) -> bool:
        """Return whether an Authorization header has this account's SID and token (HTTP Basic)."""
        expected = "Basic " + base64.b64encode(f"{self.sid}:{self.auth_token}".encode()).decode()

        return hmac.compare_digest(authorization.encode(), expected.encode())
