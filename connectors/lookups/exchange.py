"""HTTP with one lookup provider: what goes out carefully, and what came back, decoded and bounded. It judges no number.

A request is repeated only where it surely was not carried out. One that went out and whose answer did not come, or came
cut off or without end, raises :class:`LostError`: it may have been billed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from ringfence.core.errors import QuotaError, RetryError, UnreachableError
from ringfence.core.model.axes import Outcome
from ringfence.core.ports.call_limits import Rate
from ringfence.core.ports.services import Services

from ..http.account_calls import AccountCalls
from ..http.adaptive_rate import AdaptiveRate
from ..http.first_contact import FirstContact, never_connected
from ..http.retry import BackOff, Retries, RetryPolicy, RetryRule, read_retry_after
from ..http.session import CarefulSession

ATTEMPTS = 4

LONGEST_WAIT_S = 60.0
"""A pause that a provider asks for beyond this ends the lookups of the run."""

TIMEOUT_S = (10.0, 30.0)
"""To connect, and to answer: live status waits for the far network."""

MOST_BYTES, MOST_BYTES_A_NUMBER = 1024 * 1024, 2048
"""The longest answer that is read, by how many numbers it is about: several times what any provider says of one."""

LOST_STATUSES = frozenset({502, 504, 520, 524})
"""A gateway has passed the request on and got no proper answer: it may have been carried out, and billed."""

Result = TypeVar("Result")


class LostError(Exception):
    """The request surely went out, and its answer did not come whole.

    ``code`` says how, for a person; ``outcome`` is PROVIDER_ERROR where something came that is no answer.
    """

    def __init__(self, code: str, outcome: Outcome = Outcome.TIMEOUT) -> None:
        super().__init__(code)
        self.code = code
        self.outcome = outcome


class NoConnectionError(RetryError):
    """A host that answered before takes no connection: nothing was sent, so nothing was billed."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a provider; ``path`` is appended to the base URL. Everything in it is already quoted.

    ``numbers`` is how many numbers the answer is about: it bounds how much of it is read.
    """

    method: str
    path: str
    params: Mapping[str, Any] | Sequence[tuple[str, str]] | None = None
    json: Any = None
    data: Any = None
    files: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    numbers: int = 1

    @property
    def most_bytes(self) -> int:
        """Return how many bytes of the answer are read at most."""
        return MOST_BYTES + MOST_BYTES_A_NUMBER * self.numbers


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: ``body`` is the decoded JSON, None where it is none; ``content`` are the bytes as they came."""

    status: int
    headers: Mapping[str, str]
    body: Any
    content: bytes

    @property
    def is_html(self) -> bool:
        """Return whether it is a page for people: a log-in page or a proxy in the provider's place."""
        start = self.content[:200].lstrip().lower()
        return start.startswith((b"<!doctype html", b"<html")) or "text/html" in self.headers.get("Content-Type", "")

    @property
    def mapping(self) -> Mapping[str, Any]:
        """Return the body where it is a JSON object, else an empty one."""
        return self.body if isinstance(self.body, dict) else {}


class Exchange:
    """The connections to one account of a provider. Safe with threads.

    ``name`` is the provider's name in settings, ``title`` what people call it; ``account`` tells the account from
    others at the host, and is no secret. ``pace`` is how many calls a second are allowed, all processes together; None
    where nobody says. ``check_settings`` tells a person which settings hold the address.
    """

    def __init__(
        self,
        name: str,
        title: str,
        base_url: str,
        services: Services,
        *,
        account: str = "",
        headers: Mapping[str, str] | None = None,
        auth: AuthBase | tuple[str, str] | None = None,
        pace: float | None = None,
        connections: int = 8,
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        self.name = name
        self.title = title
        self.host = urlsplit(base_url).netloc
        self.realm = ":".join(part for part in (name, self.host, account) if part)
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._session = CarefulSession()
        self._session.auth = auth
        self._session.headers.update(headers or {})
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

        self._calls = AccountCalls(services.limits, services.clock, self.realm)
        self._rate = AdaptiveRate(services.clock, self._calls)
        self.pace = pace
        self._rate_allowed = None if pace is None else _as_rate(pace)
        setting = name.upper().replace("-", "_")
        self.check_address = f"Check RINGFENCE_{setting}__BASE_URL and the network, then run again."
        self._contact = FirstContact(self.check_address)
        self._retries = Retries(self._policy(), services.clock)
        _hide_requests(self.host)

    def repeat(self, what: str, send: Callable[[], Result]) -> Result:
        """Return what ``send`` returns, calling it again after a fault that surely was not billed.

        Raises RetryError where the fault stays, and everything else that ``send`` raises.
        """
        return self._retries.call(what, send)

    def send(self, request: Request) -> Reply:
        """Send a request once, when the pace allows, and return the answer whatever its status.

        Raises LostError, RetryError where no connection came about, UnreachableError for a host that never answered,
        and QuotaError where a pause is on that is too long to be waited for.
        """
        self._wait_for_turn()

        # requests puts the URL, and with it numbers and keys, into its errors: they are cut off from ours.
        try:
            with self._session.request(
                request.method,
                self._base_url + request.path,
                params=request.params,
                json=request.json,
                data=request.data,
                files=request.files,
                headers=dict(request.headers),
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _read(response, request.most_bytes)
        except requests.RequestException as error:
            if isinstance(error, ValueError):  # the address, a header or the proxy's address makes no request
                raise self._contact.unreachable(self.host) from None
            if never_connected(error):
                raise self._contact.judge(self.host, NoConnectionError("no connection")) from None
            raise LostError(f"cut off: {type(error).__name__}") from None

        self._contact.note_answer(self.host)
        return self._take(response, content)

    def slow_down(self, reply: Reply, code: str) -> RetryError:
        """Call less often from now on, because of this refusal, and return the fault to raise: nothing was billed.

        Raises QuotaError where the provider asks for a pause that is too long.
        """
        asked_s = read_retry_after(reply.headers) or 0.0
        self._rate.slow_down(min(asked_s, LONGEST_WAIT_S) if asked_s <= LONGEST_WAIT_S else asked_s)
        if asked_s > LONGEST_WAIT_S:
            raise QuotaError(f"{self.title} asks to wait {asked_s:.0f} seconds ({code}).", "Run again after that.")
        return RetryError(code, wait_s=asked_s)

    def slow_down_after_answer(self) -> None:
        """Call less often from now on: an answer came, and says in its body that there were too many questions."""
        self._rate.slow_down()

    def speed_up(self) -> None:
        """Call a little more often again: a call went well."""
        self._rate.speed_up()

    def somebody_else(self, status: int) -> UnreachableError:
        """Return the error for an address at which somebody else answers than the provider."""
        return UnreachableError(
            f"{self.host} answers, but not as {self.title} does (HTTP {status}): the address is wrong, or a proxy or a "
            "log-in page stands in between. Nothing was bought.",
            self.check_address,
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _wait_for_turn(self) -> None:
        try:
            if self._rate_allowed is not None:
                self._calls.wait_for_place("lookups", self._rate_allowed)
            self._rate.acquire()
        except RetryError as pause:
            raise QuotaError(
                f"{self.title} has asked to wait {pause.wait_s or 0:.0f} s.", "Run again after that."
            ) from None

    def _take(self, response: requests.Response, content: bytes) -> Reply:
        try:
            body = json.loads(content)
        except RecursionError:  # brackets within brackets, thousands deep
            raise LostError("nested too deeply", Outcome.PROVIDER_ERROR) from None
        except ValueError:
            body = None
        reply = Reply(response.status_code, response.headers, body, content)
        if reply.status in LOST_STATUSES and not reply.mapping.get("error"):
            raise LostError(str(reply.status))
        if reply.status == 200 and body is None and content.lstrip()[:1] in (b"{", b"["):
            raise LostError("cut off", Outcome.PROVIDER_ERROR)
        return reply

    def _policy(self) -> RetryPolicy:
        return RetryPolicy(
            attempts=ATTEMPTS,
            back_off=BackOff(first_s=0.5, longest_s=20, jitter_s=1),
            rules=(
                RetryRule(NoConnectionError, give_up=lambda _fault: self._contact.unreachable(self.host)),
                RetryRule(RetryError),  # it becomes the answer about those numbers
            ),
        )


def _read(response: requests.Response, most_bytes: int) -> bytes:
    """Return the whole answer. Raises LostError where it is longer than any provider's: the rest is not read."""
    parts, size = [], 0
    for part in response.iter_content(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > most_bytes:
            raise LostError(f"the answer is longer than {most_bytes:,} bytes", Outcome.PROVIDER_ERROR)
    return b"".join(parts)


def _as_rate(pace: float) -> Rate:
    """Return a pace in calls a second as whole calls in a time."""
    return Rate(max(1, round(pace)), 1.0) if pace >= 1 else Rate(1, 1 / pace)


_hidden_hosts: set[str] = set()


def _hide_requests(host: str) -> None:
    """Keep the HTTP library from logging what it asks this host: paths hold numbers and keys."""
    logger = logging.getLogger("urllib3.connectionpool")
    if not _hidden_hosts:
        logger.addFilter(_is_harmless)
    _hidden_hosts.add(host.partition(":")[0])


def _is_harmless(record: logging.LogRecord) -> bool:
    """Return False for a log line that names a request to a provider."""
    text = record.getMessage()
    return '"' not in text or not any(host in text for host in _hidden_hosts)
