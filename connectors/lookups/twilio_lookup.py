"""Twilio Lookup v2: `line_status` and `line_type_intelligence` of one number per call.

HTTP 200 is not "checked": a number that cannot exist and a package that failed both come inside a 200, and so does the
page of a captive portal. A request is repeated only where it was surely not billed. One that went out and whose answer
did not come is LOST; whatever Twilio surely did not carry out, or another machine answered, is a failure.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from ringfence.core.clock import whole_seconds
from ringfence.core.errors import (
    AuthenticationError,
    QuotaError,
    RetryError,
    SettingsError,
    StoppedError,
    UnreachableError,
)
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.ports.services import Services

from ..http.account_calls import AccountCalls
from ..http.adaptive_rate import AdaptiveRate
from ..http.first_contact import FirstContact, never_connected
from ..http.retry import BackOff, Retries, RetryPolicy, RetryRule, read_retry_after
from ..http.session import CarefulSession
from .pool import HEAVY, THREADS, LookupPool
from .twilio_answers import (
    NOT_ENABLED,
    OUT_OF_CREDIT,
    PACKAGE_CODES,
    PACKAGES,
    RATE_CODES,
    REQUEST_RATE_CODES,
    Reading,
    is_cut,
    is_error,
    is_result,
    read_error,
    read_result,
)
from .twilio_settings import NAME, PROFILE, TwilioSettings, is_configured

ATTEMPTS = 4
LONGEST_WAIT_S = 60.0
"""A pause that Twilio asks for beyond this ends the lookups of the run."""

TIMEOUT_S = (10.0, 30.0)  # to connect, to answer: live status waits for the far network
FIELDS = ",".join(PACKAGES)

LOST_STATUSES = frozenset({502, 504, 520, 524})
"""A gateway has passed the request on and got no proper answer: it may have been carried out, and billed."""


logger = logging.getLogger(__name__)

_CHECK_ADDRESS = "Check RINGFENCE_TWILIO__BASE_URL and the network, then run again."


class NoConnectionError(RetryError):
    """A host that answered before takes no connection: nothing was sent, so nothing was billed."""


class TwilioLookup:
    """See :class:`ringfence.core.ports.lookup.Lookup`. Constructing it makes no call. Raises SettingsError."""

    name = NAME
    profile = PROFILE

    def __init__(self, settings: TwilioSettings, services: Services) -> None:
        self._session = _open_session(settings)
        self._url = f"{settings.base_url}/v2/PhoneNumbers/"
        self._host = urlsplit(settings.base_url).netloc
        self.realm = f"{NAME}:{self._host}:{settings.account_sid}"
        self.price = settings.price
        self._clock = services.clock
        self._contact = FirstContact(_CHECK_ADDRESS)
        self._rate = AdaptiveRate(services.clock, AccountCalls(services.limits, services.clock, self.realm))
        self._retries = Retries(self._policy(), services.clock)
        self._told_not_enabled = False
        self._pool = LookupPool(NAME, self._look_up_some, _give_up, self._abandon, services.patience, _weigh)
        logging.getLogger("urllib3.connectionpool").addFilter(_hide_paths)

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Look each number up once, yielding each answer as it comes.

        Answers that are on their way when Twilio refuses us, at Ctrl-C or at SIGTERM, are still yielded, because they
        are paid, before AuthenticationError, QuotaError, UnreachableError or the interrupt is raised. QuotaError and
        UnreachableError come when many numbers in a row had no answer, QuotaError also where the account is out of
        credit, UnreachableError also where somebody else answers in Twilio's place.
        """
        return self._pool.look_up(numbers)

    def check(self) -> str | None:
        """See :class:`ringfence.core.ports.lookup.Lookup`."""
        return "not checked yet"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _policy(self) -> RetryPolicy:
        return RetryPolicy(
            attempts=ATTEMPTS,
            back_off=BackOff(first_s=0.5, longest_s=20, jitter_s=1),
            rules=(
                RetryRule(NoConnectionError, give_up=lambda _fault: self._contact.unreachable(self._host)),
                RetryRule(RetryError),  # it becomes the answer about that one number
            ),
        )

    def _look_up_some(self, numbers: Sequence[str]) -> Sequence[Answer]:
        return [self._look_up_one(e164) for e164 in numbers]

    def _look_up_one(self, e164: str) -> Answer:
        try:
            return self._retries.call("a lookup", lambda: self._request(e164))
        except RetryError as error:
            return self._answer(e164, AnswerKind.FAILED, code=error.message, paid=False)

    def _abandon(self, e164: str) -> Answer:
        return self._answer(e164, AnswerKind.LOST, code="not waited for")

    def _request(self, e164: str) -> Answer:
        try:
            self._rate.acquire()
        except RetryError as pause:
            raise QuotaError(f"Twilio has asked to wait {pause.wait_s or 0:.0f} s.", "Run again after that.") from None

        # requests puts the URL, and with it the number, into its errors: they are cut off from ours.
        try:
            response = self._session.get(
                self._url + quote(e164, safe=""),
                params={"Fields": FIELDS},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            if isinstance(error, ValueError):  # the address, a header or the proxy's address makes no request
                raise self._contact.unreachable(self._host) from None
            if never_connected(error):
                raise self._contact.judge(self._host, NoConnectionError("no connection")) from None
            return self._answer(e164, AnswerKind.LOST, code=f"cut off: {type(error).__name__}")

        self._contact.note_answer(self._host)
        return self._read(e164, response)

    def _read(self, e164: str, response: requests.Response) -> Answer:
        body = _decode(response)
        status = response.status_code
        code = str(body.get("code") or status)

        if status == 200 and is_result(body):
            self._rate.speed_up()
            return self._take(e164, read_result(body))
        if status in LOST_STATUSES or self._is_cut(response, body):
            return self._answer(e164, AnswerKind.LOST, code=code)
        if status in (429, 503):
            self._refuse_for_now(response, code)
        if code in PACKAGE_CODES:
            return self._take(e164, read_error(code))
        if status >= 500:
            return self._answer(e164, AnswerKind.FAILED, code=code)

        # A proxy or a captive portal in Twilio's place, or a path that is none of Twilio's.
        if status != 401 and not is_error(status, body):
            return self._answer_of_another(e164, status)
        if status in (401, 403):
            raise AuthenticationError(
                f"Twilio does not accept the credentials (HTTP {status}, error {code}).",
                "Check RINGFENCE_TWILIO__ACCOUNT_SID and __AUTH_TOKEN; test credentials cannot look numbers up.",
            )

        # An address that leads elsewhere at Twilio knows no number at all.
        known = status in (400, 404) and self._pool.proven
        return self._answer(e164, AnswerKind.INCONCLUSIVE if known else AnswerKind.FAILED, code=code, paid=False)

    def _is_cut(self, response: requests.Response, body: Mapping[str, Any]) -> bool:
        """Return whether a good answer was cut off on its way: what it is about was carried out, and billed."""
        content = response.content
        # Nothing at all may as well come from somebody else who listens at a wrong address.
        return response.status_code == 200 and not body and (is_cut(content) or (not content and self._pool.proven))

    def _refuse_for_now(self, response: requests.Response, code: str) -> None:
        """Raise RetryError where the request was surely not carried out."""
        asked_s = read_retry_after(response.headers)
        wait_s = min(asked_s or 0.0, LONGEST_WAIT_S)
        if asked_s is not None and asked_s > LONGEST_WAIT_S:
            self._rate.slow_down(asked_s)
            raise QuotaError(f"Twilio asks to wait {asked_s:.0f} seconds (error {code}).", "Run again after that.")
        if response.status_code == 429:
            self._rate.slow_down(wait_s)
        if response.status_code == 429 or asked_s is not None:
            raise RetryError(code, wait_s=wait_s)

    def _answer_of_another(self, e164: str, status: int) -> Answer:
        """Return the failure of one number that somebody else answered; raise where Twilio has never been heard."""
        if self._pool.proven:
            return self._answer(e164, AnswerKind.FAILED, code=f"HTTP {status} that is not Twilio's", paid=status == 200)
        raise UnreachableError(
            f"{self._host} answers, but not as Twilio Lookup does (HTTP {status}): the address is wrong, or a proxy or "
            "a log-in page stands in between. Nothing was bought.",
            _CHECK_ADDRESS,
        )

    def _take(self, e164: str, reading: Reading) -> Answer:
        """Return what a body says as an answer; raise where the account can buy no more."""
        if reading.code == OUT_OF_CREDIT:
            raise QuotaError(
                f"The quota of the account for Twilio's line status is used up (error {reading.code}).",
                "Raise it in Twilio's console, or wait until it is renewed; nothing is lost.",
            )
        if reading.code == NOT_ENABLED and not self._told_not_enabled:
            self._told_not_enabled = True
            logger.warning(
                "Twilio does not tell the line status: the package is not enabled for this account (error %s). Numbers "
                "keep their offline status. Ask Twilio to enable Line Status of Lookup v2, or take twilio off "
                "RINGFENCE_LOOKUP__PROVIDERS.%s",
                reading.code,
                " Each lookup is still billed for the line type." if reading.paid else "",
            )
        if reading.kind is AnswerKind.FAILED:
            self._rate.slow_down()
        return self._answer(e164, **reading._asdict())

    def _answer(self, e164: str, kind: AnswerKind, **facts: Any) -> Answer:
        return Answer(e164, kind, whole_seconds(self._clock.now()), **facts)


def _open_session(settings: TwilioSettings) -> requests.Session:
    """Return a session that carries the credentials. Raises SettingsError where they are incomplete."""
    if not is_configured(settings) or settings.auth_token is None or settings.account_sid is None:
        raise SettingsError(
            "The Twilio credentials are not set.",
            "Set RINGFENCE_TWILIO__ACCOUNT_SID and RINGFENCE_TWILIO__AUTH_TOKEN.",
        )

    session = CarefulSession()
    session.auth = (settings.account_sid, settings.auth_token.get_secret_value())
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=THREADS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _give_up(last: Answer, failed: int) -> StoppedError:
    """Return the error that ends the lookups after so many numbers in a row without an answer."""
    if last.kind is AnswerKind.LOST:
        return UnreachableError(
            f"The answers of Twilio to {failed} numbers in a row did not come or were lost (the last: {last.code}).",
            "They may have been billed and are not bought again. Look at Twilio's status, then run again.",
        )

    message = f"Twilio refused {failed} numbers in a row (error {last.code})."
    if last.code in RATE_CODES:
        return QuotaError(message, "Other programs use up the account's rate; run again later.")
    if last.code in ("404", "20404"):
        return UnreachableError(message, _CHECK_ADDRESS)
    return UnreachableError(message, "Run again later; nothing is lost.")


def _weigh(answer: Answer) -> int:
    """Return for how many failures one counts; a number refused for the rate was asked about again and again."""
    return HEAVY if answer.kind is AnswerKind.LOST or answer.code in REQUEST_RATE_CODES else 1


def _decode(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return {}  # judged by its status; a 200 without a verdict is nobody's answer
    return body if isinstance(body, dict) else {}


def _hide_paths(record: logging.LogRecord) -> bool:
    """Return False for log lines of the HTTP library that would show a looked-up number."""
    return "PhoneNumbers/" not in record.getMessage()
