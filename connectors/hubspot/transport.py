"""The one way to HubSpot: every request is counted, paced, has a time-out, is retried, and its errors translated."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from hubspot.crm.objects.exceptions import ApiException

from ringfence.core.errors import QuotaError, RetryError, RingfenceError, UnreachableError
from ringfence.core.ports.services import Services

from ..http.account_calls import AccountCalls
from ..http.first_contact import FirstContact
from ..http.retry import BackOff, Retries, RetryPolicy, RetryRule, read_retry_after
from .errors import RateLimitError, read_error
from .limits import PortalLimits

TIMEOUT_S = (10.0, 60.0)
"""Seconds to connect and to wait for an answer; the library has no default and would hang for ever."""

ATTEMPTS = 8

_CHECK_ADDRESS = "Check RINGFENCE_HUBSPOT__BASE_URL and the network."


def _policy(host: str) -> RetryPolicy:
    """Return when a call to HubSpot at that host is repeated, and how it ends when that does not help."""

    def end_as_quota(fault: RetryError) -> QuotaError:
        return QuotaError(
            f"{fault.message} It did not help to wait.", "Other apps use up the portal's limit; run again later."
        )

    def end_as_outage(fault: RetryError) -> UnreachableError:
        return UnreachableError(f"{fault.message} ({host})", "Run again later: it goes on from here.")

    def refuse_wait(seconds: float, what: str) -> UnreachableError:
        return UnreachableError(f"HubSpot asks to wait {seconds:.0f} seconds before {what}.", "Run again after that.")

    return RetryPolicy(
        attempts=ATTEMPTS,
        back_off=BackOff(first_s=0.25, longest_s=20, jitter_s=0.5),
        rules=(RetryRule(RateLimitError, give_up=end_as_quota), RetryRule(RetryError, give_up=end_as_outage)),
        longest_wait_s=120.0,
        refuse_wait=refuse_wait,
    )


@dataclass(frozen=True, slots=True)
class Request:
    """How a call is counted and named in messages, and what is known of it beforehand.

    That is a key that every good answer has (empty where an answer has no body), whether it is a search, and the scope
    that it takes.
    """

    purpose: str
    what: str
    key: str = "results"
    search: bool = False
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. Header names match in any case."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class Transport:
    """Carries out calls that are safe to repeat, which all of ours are: reads, absolute values by id, named creates.

    Takes the host for messages, the name of the account for its limits, and the services for clock and pacing. Safe
    with threads.
    """

    def __init__(self, host: str, account: str, services: Services) -> None:
        self.calls: Counter[str] = Counter()
        self._host = host
        self._contact = FirstContact(_CHECK_ADDRESS)
        self._retries = Retries(_policy(host), services.clock)
        self._limits = PortalLimits(AccountCalls(services.limits, services.clock, account))
        self._lock = threading.Lock()

    @property
    def day(self) -> tuple[int, int] | None:
        """Return how many calls are left today, and how many there are a day; None where no answer has told yet."""
        return self._limits.day

    def call(self, request: Request, send: Callable[..., Any], *args: Any) -> Answer:
        """Return the answer of ``send(*args, ...)``, a method of the client library.

        Raises AnswerError for a request that HubSpot finds wrong, AuthenticationError, AccessError, QuotaError and
        UnreachableError.
        """
        return self._retries.call(request.what, lambda: self._send_once(request, send, args))

    def _send_once(self, request: Request, send: Callable[..., Any], args: tuple[Any, ...]) -> Answer:
        self._limits.acquire(search=request.search)
        with self._lock:
            self.calls[request.purpose] += 1

        status, headers, content = self._send(request.what, send, args)
        self._contact.note_answer(self._host)
        self._limits.learn(headers)

        body = _decode(content)
        if 200 <= status < 300:
            if request.key and (body is None or request.key not in body):
                raise RetryError(f"The answer to {request.what} is not what HubSpot sends.")
            return Answer(status, headers, body or {})

        error = read_error(request.what, status, headers, body or {}, request.scope)
        self._note_pause(error, headers, search=request.search)
        raise error

    def _note_pause(self, error: RingfenceError, headers: Mapping[str, str], *, search: bool) -> None:
        """Let the others wait too: what HubSpot asks for holds for the portal, and so does a limit that was reached."""
        asked_s = read_retry_after(headers)
        if isinstance(error, RetryError) and asked_s:
            self._limits.pause(asked_s, search=search, every=True)
        elif isinstance(error, RateLimitError):
            self._limits.pause(error.wait_s or 0.0, search=search, every=False)

    def _send(self, what: str, send: Callable[..., Any], args: tuple[Any, ...]) -> tuple[int, Mapping[str, str], bytes]:
        try:
            answer = send(*args, _preload_content=False, _request_timeout=TIMEOUT_S)
            content: bytes = answer.data
        except ApiException as error:
            return error.status, error.headers, error.body.encode()
        except AttributeError as error:
            # The library fails on its own TLS error, which has no body to decode.
            if not isinstance(error.__context__, ApiException):
                raise
            reason = " ".join(str(error.__context__.reason).split())
            raise UnreachableError(f"No secure connection to {self._host}: {reason}.", _CHECK_ADDRESS) from error
        except urllib3.exceptions.NewConnectionError as error:
            raise self._contact.judge(self._host, RetryError(f"HubSpot could not be reached for {what}.")) from error
        except (urllib3.exceptions.HTTPError, UnicodeDecodeError) as error:
            raise RetryError(f"The answer to {what} was cut off or late ({type(error).__name__}).") from error

        return answer.status, answer.headers, content


def _decode(content: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object, or None for anything else, such as the error page of a proxy."""
    try:
        body = json.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
