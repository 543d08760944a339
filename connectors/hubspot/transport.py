"""One door for every request: counted, paced, timed out, retried and translated."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from hubspot.crm.objects.exceptions import ApiException
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from ringfence.core.errors import QuotaError, RetryError, UnreachableError
from ringfence.core.ports.services import Services

from .errors import LONGEST_WAIT_S, PaceError, read_error
from .limits import PortalLimits

TIMEOUT_S = (10.0, 60.0)
"""Seconds to connect and to wait for an answer; the library has no default and would hang for ever."""

ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Request:
    """What a call is counted as, how messages name it, a key that every good answer has, and whose limit it takes."""

    purpose: str
    what: str
    key: str = "results"
    search: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. Header names match in any case."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class Transport:
    """Carries out calls that are safe to repeat, which all of ours are: reads, absolute values by id, named creates.

    Takes the host for messages, and the services for clock and pacing. Safe with threads.
    """

    def __init__(self, host: str, services: Services) -> None:
        self.calls: Counter[str] = Counter()
        self._host = host
        self._clock = services.clock
        self._limits = PortalLimits(services.clock)
        self._lock = threading.Lock()
        self._reached = False

    def call(self, request: Request, send: Callable[..., Any], *args: Any) -> Answer:
        """Return the answer of ``send(*args, ...)``, a method of the client library. Raises AnswerError for a request
        that HubSpot finds wrong, AuthenticationError, AccessError, QuotaError and UnreachableError.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(RetryError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_pause,
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            return retrying(self._once, request, send, args)
        except PaceError as error:
            raise QuotaError(
                f"{error.message} It did not help to wait.", "Other apps use up the portal's limit; run again later."
            ) from error
        except RetryError as error:
            raise UnreachableError(
                f"{error.message} ({self._host})", "Run again later: it goes on from here."
            ) from error

    def _once(self, request: Request, send: Callable[..., Any], args: tuple[Any, ...]) -> Answer:
        self._limits.acquire(search=request.search)
        with self._lock:
            self.calls[request.purpose] += 1
        status, headers, content = self._send(request.what, send, args)
        self._reached = True
        self._limits.learn(headers)
        body = _decode(content)
        if 200 <= status < 300:
            if body is None or request.key not in body:
                raise RetryError(f"The answer to {request.what} is not what HubSpot sends.")
            return Answer(status, headers, body)
        error = read_error(request.what, status, headers, body or {})
        if isinstance(error, RetryError) and (error.wait_s or 0.0) > LONGEST_WAIT_S:
            raise UnreachableError(
                f"HubSpot asks to wait {error.wait_s:.0f} seconds before {request.what}.", "Run again after that."
            ) from error
        raise error

    def _send(self, what: str, send: Callable[..., Any], args: tuple[Any, ...]) -> tuple[int, Mapping[str, str], bytes]:
        try:
            answer = send(*args, _preload_content=False, _request_timeout=TIMEOUT_S)
            content: bytes = answer.data
        except ApiException as error:
            return error.status, error.headers, error.body.encode()
        except AttributeError as error:
            # The library stumbles over its own TLS error, which has no body to decode.
            if not isinstance(error.__context__, ApiException):
                raise
            reason = " ".join(str(error.__context__.reason).split())
            raise UnreachableError(f"No secure connection to {self._host}: {reason}.", _LOOK) from error
        except urllib3.exceptions.NewConnectionError as error:
            if not self._reached:
                raise UnreachableError(f"{self._host} cannot be reached.", _LOOK) from error
            raise RetryError(f"HubSpot could not be reached for {what}.") from error
        except (urllib3.exceptions.HTTPError, UnicodeDecodeError) as error:
            raise RetryError(f"The answer to {what} was cut off or late ({type(error).__name__}).") from error
        return answer.status, answer.headers, content


_LOOK = "Check RINGFENCE_HUBSPOT__BASE_URL and the network."
_BACKOFF = wait_exponential(multiplier=0.25, max=20) + wait_random(0, 0.5)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, RetryError) and error.wait_s else 0.0
    return asked + _BACKOFF(state)


def _decode(content: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object, or None for anything else, such as the error page of a proxy."""
    try:
        body = json.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
