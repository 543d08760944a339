"""The one way to Salesforce: every request is counted, has a time-out, is retried, and has its headers read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from ringfence.core.errors import QuotaError, RetryError, RingfenceError, SettingsError, UnreachableError
from ringfence.core.ports.services import Services

from ..http.account_calls import AccountCalls
from ..http.first_contact import FirstContact, never_connected
from ..http.retry import BackOff, Retries, RetryPolicy, RetryRule, read_retry_after
from ..http.session import CarefulSession
from .errors import ConcurrencyLimitError, DailyLimitError, LocatorError, web_page_error
from .quota import Quota, when_to_go_on
from .settings import VARIABLE

TIMEOUT_S = (10.0, 180.0)
"""Seconds to connect and to wait for an answer; the library has none of its own (salesforce.md, section 1.4)."""

ATTEMPTS = 5

POOL = 10

Result = TypeVar("Result")

_purpose: ContextVar[str] = ContextVar("purpose", default="login")
# Of the attempt that is under way: what the answer to another thread asks for does not hold up this one.
_retry_after_s: ContextVar[float | None] = ContextVar("retry_after_s", default=None)
_FREE = "/services/oauth2/"
_READS = ("opt_outs", "read")
_WRITES = "write"
_CHECK_ADDRESS = f"Check {VARIABLE}INSTANCE_URL or {VARIABLE}LOGIN_URL, and the network."


def _end_as_quota(fault: RetryError) -> QuotaError:
    return QuotaError(f"{fault.message} It did not help to wait.", "Run again later: it goes on.")


def _end_as_outage(fault: RetryError) -> UnreachableError:
    return UnreachableError(fault.message, "Run again later: it goes on from here.")


def _refuse_wait(seconds: float, _what: str) -> UnreachableError:
    return UnreachableError(f"Salesforce asks to wait {seconds:.0f} seconds.", "Run again after that.")


POLICY = RetryPolicy(
    attempts=ATTEMPTS,
    back_off=BackOff(first_s=0.5, longest_s=30, jitter_s=0.5),
    rules=(
        # An expired query cursor stays expired: its reader goes on behind the last row instead.
        RetryRule(LocatorError, repeat=False),
        RetryRule(ConcurrencyLimitError, give_up=_end_as_quota),
        RetryRule(RetryError, give_up=_end_as_outage),
    ),
    longest_wait_s=120.0,
    refuse_wait=_refuse_wait,
)
"""When a call to Salesforce is repeated, and how it ends when that does not help."""


class Transport:
    """Carries out calls that are safe to repeat, which all of ours are. Safe with threads.

    ``session`` is for the client library: it pools connections, sets time-outs, follows no redirect and uses the
    proxies of the environment. It reaches a loopback address in clear text where the settings allow it, because the
    library only knows https.
    ``quota`` has to allow every request but a log-in.
    """

    def __init__(self, services: Services, quota: Quota) -> None:
        clock = services.clock
        self.calls: Counter[str] = Counter()
        self.quota = quota
        self._clock = clock
        self._limits = services.limits
        self._clear: set[str] = set()
        self._server_date: tuple[datetime, float] | None = None
        self._contact = FirstContact(_CHECK_ADDRESS)
        self._spoken: set[tuple[str, bool]] = set()
        self._retries = Retries(POLICY, clock)
        self._lock = threading.Lock()
        self.session = CarefulSession()
        # Without an auth of its own a session takes one from .netrc, in place of the token.
        self.session.auth = _keep_headers

        for scheme in ("https://", "http://"):
            self.session.mount(scheme, _Adapter(self))

    def allow_clear(self, url: str) -> None:
        """Remember a checked address; an ``http://`` one is reached in clear text from now on."""
        parts = urlsplit(url)
        if parts.scheme == "http":
            self._clear.add(parts.netloc)

    def is_clear(self, url: str | None) -> bool:
        """Return whether the address is one that is reached in clear text."""
        return urlsplit(url or "").netloc in self._clear

    def server_now(self) -> datetime | None:
        """Return the time at Salesforce in UTC, from the ``Date`` of the last answer; None before the first answer."""
        if self._server_date is None:
            return None
        moment, at = self._server_date
        return moment + timedelta(seconds=self._clock.monotonic() - at)

    def count(self) -> None:
        """Count one request under the purpose of the call that makes it."""
        with self._lock:
            self.calls[_purpose.get()] += 1

    def read_headers(self, answer: requests.Response, host: str, *, log_in: bool = False) -> None:
        """Read the server's time, the org's usage and ``Retry-After`` from an answer's headers.

        Raises SettingsError for a web page where nothing else has come from the host; what its ``log_in`` answers says
        nothing about its API.
        """
        if answer.status_code == 200 and answer.headers.get("Content-Type", "").lower().startswith("text/html"):
            # Where the API has answered before, something on the way is at fault, and the call is repeated. A
            # write, which may have been carried out, is always asked about again.
            if (host, log_in) not in self._spoken and _purpose.get() != _WRITES:
                raise web_page_error(host)
        else:
            self._contact.note_answer(host)
            self._spoken.add((host, log_in))
        if date := answer.headers.get("Date"):
            self._server_date = (parsedate_to_datetime(date).astimezone(UTC), self._clock.monotonic())
        asked_s = read_retry_after(answer.headers)
        _retry_after_s.set(asked_s)
        if asked_s and answer.status_code in (429, 503):
            self._calls_to(host).pause(asked_s)
        self.quota.learn(answer.headers.get("Sforce-Limit-Info", ""), self._now())

    def admit(self, url: str | None) -> AbstractContextManager[None]:
        """Hold one request to the address within the quota. Raises QuotaError at the daily reserve, but for log-ins.

        Raises RetryError where Salesforce asked for a pause that is too long.
        """
        parts = urlsplit(url or "")
        if parts.path.startswith(_FREE):
            return nullcontext()
        return self.quota.hold(self._calls_to(parts.netloc), self._now(), reading=_purpose.get() in _READS)

    def _calls_to(self, host: str) -> AccountCalls:
        """Return the calls to an org, which its own host tells from others."""
        return AccountCalls(self._limits, self._clock, f"salesforce:{host}")

    def _now(self) -> datetime:
        return self.server_now() or self._clock.now()

    def call_with_retries(self, purpose: str, what: str, send: Callable[[], Result]) -> Result:
        """Return what ``send`` returns, repeating it after passing faults.

        ``purpose`` is what its requests are counted as, ``what`` names the call for the reader. Raises whatever send
        raises, and QuotaError or UnreachableError when a passing fault does not pass.
        """
        token = _purpose.set(purpose)
        try:
            return self._retries.call(what, lambda: self._send_once(what, send))
        except DailyLimitError as error:
            raise QuotaError(error.message, f"{error.remedy} {when_to_go_on(self._now())}") from error
        finally:
            _purpose.reset(token)

    def _send_once(self, what: str, send: Callable[[], Result]) -> Result:
        _retry_after_s.set(None)
        try:
            return send()
        except RetryError as fault:
            if (asked_s := _retry_after_s.get()) is not None:
                fault.wait_s = asked_s
            raise
        except requests.exceptions.RequestException as error:
            raise self._translate(what, error) from error

    def _translate(self, what: str, error: requests.exceptions.RequestException) -> RingfenceError:
        """Return our error for a call that brought no answer, or half of one."""
        host, wait_s = _host(error), _retry_after_s.get()
        match error:
            case requests.exceptions.SSLError():
                return UnreachableError(f"No secure connection to {host}.", _CHECK_ADDRESS)
            case requests.exceptions.InvalidURL() | requests.exceptions.TooManyRedirects():
                return UnreachableError(f"{host} cannot be asked: {type(error).__name__}.", _CHECK_ADDRESS)
            case requests.exceptions.ConnectionError():
                fault = RetryError(f"{host} could not be reached for {what} ({type(error).__name__}).", wait_s=wait_s)
                return self._contact.judge(host, fault) if never_connected(error) else fault
            case _:
                return RetryError(f"The answer to {what} was cut off or late ({type(error).__name__}).", wait_s=wait_s)


class _Adapter(HTTPAdapter):
    """Sends the session's requests: sets the time-out, counts, and reads the headers of the answer."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(pool_maxsize=POOL)
        self._transport = transport

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send one request, in clear text to a loopback address for which the settings allow it."""
        if self._transport.is_clear(request.url):
            request.url = str(request.url).replace("https://", "http://", 1)
            proxies = None

        with self._transport.admit(request.url):
            self._transport.count()
            answer = super().send(request, stream, timeout or TIMEOUT_S, verify, cert, proxies)
            try:
                parts = urlsplit(str(request.url))
                self._transport.read_headers(answer, parts.netloc, log_in=parts.path.startswith(_FREE))
            except SettingsError:
                answer.close()
                raise

        return answer


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _host(error: requests.exceptions.RequestException) -> str:
    return urlsplit(str(error.request.url)).netloc if error.request is not None else "Salesforce"
