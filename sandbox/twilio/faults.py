"""Fault injection for Twilio Lookup. A lookup is billed when its request is carried out, even if the answer is lost.

So a gateway that answers 502 after the request was carried out (`after_commit: true`) has cost money, and a captive
portal that answers in Twilio's place (`html` with status 200) has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from starlette.responses import HTMLResponse, Response

from ringfence.core.config.spelling import did_you_mean

from ..clock import SandboxClock, SkewedClock
from ..fault_gate import PAGE, FaultGate
from ..fault_kinds import Refuse
from ..fault_rules import ActiveRule, RequestFacts
from ..faults import Faults, FaultsError
from .errors import refusal
from .fault_kinds import FailPackages, TwilioSettings
from .packages import PACKAGES
from .state import TwilioAccount

WORDS = {
    401: (20003, "Authenticate"),
    403: (20403, "Forbidden"),
    404: (20404, "The requested resource was not found"),
    429: (20429, "Too many requests"),
    500: (20500, "An internal server error has occurred"),
    503: (20503, "Service unavailable"),
}
"""Code and message by status; other statuses come from the edge, as a web page. Wording of 403 to 503 is unverified."""


class TwilioFaults(FaultGate[Response]):
    """The faults of an account. Raises FaultsError for packages that it does not have."""

    service = "twilio"

    def __init__(self, account: TwilioAccount, clock: SandboxClock, faults: Faults) -> None:
        super().__init__(faults)
        self._account = account
        for active in self.rules:
            _refuse_unknown(active)
        given = faults.section(self.service, TwilioSettings)
        if given.clock_skew_s:
            self.swaps.set(account, "clock", SkewedClock(clock, given.clock_skew_s))
        self.swaps.set(account.window, "limit", given.requests_per_second)

    def change_state(self, active: ActiveRule, facts: RequestFacts) -> None:
        """Do nothing: nobody else changes a Twilio account."""

    @contextmanager
    def altered(self, due: Iterable[ActiveRule]) -> Iterator[None]:
        """Let packages fail while a request is handled, so that only what is answered is billed. A context."""
        fails = [active.fault for active in due if isinstance(active.fault, FailPackages)]
        self._account.failing = {name: fault.error_code for fault in fails for name in fault.packages}
        try:
            yield
        finally:
            self._account.failing = {}

    def refusal(self, fault: Refuse, facts: RequestFacts) -> Response:  # noqa: ARG002  # the error is the same for all requests
        """Return Twilio's error with a status; a web page for a status that comes from the edge."""
        words = WORDS.get(fault.status)
        if words is None and fault.code is None:
            answer: Response = HTMLResponse(PAGE, fault.status)
        else:
            code, message = words or (0, "Refused by a fault of the sandbox")
            answer = refusal(fault.status, int(fault.code or code), fault.message or message)
        if fault.retry_after is not None:
            answer.headers["Retry-After"] = str(fault.retry_after)
        return answer

    def page(self, status: int, text: str) -> Response:
        """Return a web page."""
        return HTMLResponse(text, status)


def _refuse_unknown(active: ActiveRule) -> None:
    fault = active.fault
    if isinstance(fault, FailPackages):
        for name in fault.packages:
            if name not in PACKAGES:
                hint = did_you_mean(name, PACKAGES)
                raise FaultsError(f"rules.{active.number}.fault.packages: Twilio has no package {name!r}{hint}.")
    if isinstance(fault, Refuse) and not str(fault.code or 0).isdecimal():
        raise FaultsError(f"rules.{active.number}.fault.code: an error of Twilio is a number, not {fault.code!r}.")
