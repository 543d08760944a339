"""One door for every request: counted, timed out, retried, its headers read."""

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
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random
from urllib3.exceptions import NewConnectionError

from ringfence.core.errors import QuotaError, RetryError, UnreachableError
from ringfence.core.ports.services import Clock

from .errors import ConcurrencyLimitError, DailyLimitError, LocatorError
from .quota import Quota, when_to_go_on
from .settings import VARIABLE

TIMEOUT_S = (10.0, 180.0)
"""Seconds to connect and to wait for an answer; the library has none of its own (salesforce facts, section 1.4)."""

ATTEMPTS = 5
LONGEST_WAIT_S = 120.0
"""A pause that Salesforce asks for beyond this ends the run instead of blocking it."""

POOL = 10

Result = TypeVar("Result")

_purpose: ContextVar[str] = ContextVar("purpose", default="login")
# Of the try that is under way: what the answer of another thread says is nothing to this one.
_asked_s: ContextVar[float] = ContextVar("asked_s", default=0.0)
_FREE = "/services/oauth2/"
_READS = ("opt_outs", "read")
_BACKOFF = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 0.5)
_LOOK = f"Check {VARIABLE}INSTANCE_URL or {VARIABLE}LOGIN_URL, and the network."


class Transport:
    """Carries out calls that are safe to repeat, which all of ours are. Safe with threads.

    ``session`` is handed to the client library: pooled, with time-outs, proxies as the environment says. It reaches a
    loopback address in clear text where the settings name it so, because the library knows only https. ``quota`` is
    asked before every request but a log-in.
    """

    def __init__(self, clock: Clock, quota: Quota) -> None:
        self.calls: Counter[str] = Counter()
        self.quota = quota
        self._clock = clock
        self._clear: set[str] = set()
        self._seen: tuple[datetime, float] | None = None
        self._reached: set[str] = set()
        self._lock = threading.Lock()
        self.session = requests.Session()
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
        """Return the time at Salesforce in UTC, as the ``Date`` of the last answer tells it, or None before one."""
        if self._seen is None:
            return None
        moment, at = self._seen
        return moment + timedelta(seconds=self._clock.monotonic() - at)

    def count(self) -> None:
        """Count one request under the purpose of the call that makes it."""
        with self._lock:
            self.calls[_purpose.get()] += 1

    def learn(self, answer: requests.Response, host: str) -> None:
        """Take the server's time and the org's usage from an answer's headers."""
        self._reached.add(host)
        if date := answer.headers.get("Date"):
            self._seen = (parsedate_to_datetime(date).astimezone(UTC), self._clock.monotonic())
        asked = answer.headers.get("Retry-After", "")
        _asked_s.set(float(asked) if asked.isdecimal() else 0.0)
        self.quota.learn(answer.headers.get("Sforce-Limit-Info", ""), self._now())

    def admit(self, url: str | None) -> AbstractContextManager[None]:
        """Hold one request to the address. Raises QuotaError at the daily reserve, which a log-in does not touch."""
        if urlsplit(url or "").path.startswith(_FREE):
            return nullcontext()
        return self.quota.hold(self._now(), reading=_purpose.get() in _READS)

    def _now(self) -> datetime:
        return self.server_now() or self._clock.now()

    def call_with_retries(self, purpose: str, what: str, send: Callable[[], Result]) -> Result:
        """Return what ``send`` returns, repeating it after passing faults.

        ``purpose`` is what its requests are counted as, ``what`` names the call for the reader. Raises whatever send
        raises, and QuotaError or UnreachableError when a passing fault does not pass.
        """
        retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(ATTEMPTS),
            wait=self._pause,
            sleep=self._clock.sleep,
            reraise=True,
        )
        token = _purpose.set(purpose)
        try:
            result: Result = retrying(self._once, what, send)
        except LocatorError:
            raise
        except DailyLimitError as error:
            raise QuotaError(error.message, f"{error.remedy} {when_to_go_on(self._now())}") from error
        except ConcurrencyLimitError as error:
            raise QuotaError(f"{error.message} It did not help to wait.", "Run again later: it goes on.") from error
        except RetryError as error:
            raise UnreachableError(error.message, "Run again later: it goes on from here.") from error
        else:
            return result
        finally:
            _purpose.reset(token)

    def _pause(self, state: RetryCallState) -> float:
        asked = _asked_s.get()
        if asked > LONGEST_WAIT_S:
            raise UnreachableError(f"Salesforce asks to wait {asked:.0f} seconds.", "Run again after that.")
        return asked + _BACKOFF(state)

    def _once(self, what: str, send: Callable[[], Result]) -> Result:
        _asked_s.set(0.0)
        try:
            return send()
        except requests.exceptions.SSLError as error:
            raise UnreachableError(f"No secure connection to {_host(error)}.", _LOOK) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.TooManyRedirects) as error:
            raise UnreachableError(f"{_host(error)} cannot be asked: {type(error).__name__}.", _LOOK) from error
        except requests.exceptions.ConnectionError as error:
            host = _host(error)
            if host not in self._reached and _is_refused(error):
                raise UnreachableError(f"{host} cannot be reached.", _LOOK) from error
            raise RetryError(f"{host} could not be reached for {what} ({type(error).__name__}).") from error
        except requests.exceptions.RequestException as error:
            raise RetryError(f"The answer to {what} was cut off or late ({type(error).__name__}).") from error


class _Adapter(HTTPAdapter):
    """Sends for the session: sets the time-out, counts, and reads the headers of the answer."""

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
        """Send one request, in clear text where the settings say so of its loopback address."""
        if self._transport.is_clear(request.url):
            request.url = str(request.url).replace("https://", "http://", 1)
            proxies = None
        with self._transport.admit(request.url):
            self._transport.count()
            answer = super().send(request, stream, timeout or TIMEOUT_S, verify, cert, proxies)
            self._transport.learn(answer, urlsplit(str(request.url)).netloc)
        return answer


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _host(error: requests.exceptions.RequestException) -> str:
    return urlsplit(str(error.request.url)).netloc if error.request is not None else "Salesforce"


def _is_refused(error: requests.exceptions.ConnectionError) -> bool:
    # requests wraps urllib3's "gave up" around the reason.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError) or isinstance(error, requests.exceptions.ConnectTimeout)


def _may_pass(error: BaseException) -> bool:
    # A lost cursor stays lost: its reader goes on behind the last row instead.
    return isinstance(error, RetryError) and not isinstance(error, LocatorError)
