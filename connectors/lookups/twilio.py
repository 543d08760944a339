"""Twilio Lookup v2: `line_status` and `line_type_intelligence` of one number per call.

HTTP 200 is not "checked": a number that cannot exist and a package that failed both come inside a 200. A call that was
cut off after it was sent may have been billed, so it is never repeated here: its answer is a failure that says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from ringfence.core.clock import whole_seconds
from ringfence.core.config.addresses import check_address
from ringfence.core.errors import (
    AuthenticationError,
    QuotaError,
    RetryError,
    SettingsError,
    StoppedError,
    UnreachableError,
)
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.ports.lookup import LookupPlugin
from ringfence.core.ports.services import Services

from ..http.adaptive_rate import AdaptiveRate
from ..http.first_contact import FirstContact, never_connected
from ..http.retry import BackOff, Retries, RetryPolicy, RetryRule, read_retry_after
from .pool import MOST_REFUSED, THREADS, LookupPool

NAME = "twilio"
ATTEMPTS = 4
LONGEST_WAIT_S = 60.0
"""A pause that Twilio asks for beyond this is cut to it."""

TIMEOUT_S = (10.0, 30.0)  # to connect, to answer: live status waits for the far network
FIELDS = "line_status,line_type_intelligence"

LINE_STATES = {"active": "active", "reachable": "active", "inactive": "disconnected", "unreachable": "unreachable"}
"""Twilio's line status -> line state (docs/contract.md, section 1). Whatever else it says adds nothing."""

LINE_TYPES = {
    "mobile": "mobile",
    "landline": "landline",
    "fixedVoip": "voip_fixed",
    "nonFixedVoip": "voip_nonfixed",
    "tollFree": "toll_free",
    "premium": "premium",
    "sharedCost": "shared_cost",
    "personal": "personal",
    "pager": "pager",
    "uan": "uan",
    "voicemail": "voicemail",
}
"""Twilio's line type -> line type (docs/contract.md, section 1); any other is `unknown`."""

PASSING_CODES = frozenset({"60611", "60616", "60626", "20429"})
"""Package quota, package rate, rate per number, too many requests: the answer may come another time."""


_CHECK_ADDRESS = "Check RINGFENCE_TWILIO__BASE_URL and the network, then run again."


class NoConnectionError(RetryError):
    """A host that answered before takes no connection: nothing was sent, so nothing was billed."""


class TwilioSettings(BaseModel):
    """The settings ``RINGFENCE_TWILIO__*``. Raises SettingsError for a base URL in clear text to a foreign host."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_sid: str | None = None
    auth_token: SecretStr | None = None
    base_url: str = "https://lookups.twilio.com"

    @field_validator("base_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        return check_address(value, "RINGFENCE_TWILIO__BASE_URL", "https://lookups.twilio.com")


def is_configured(settings: TwilioSettings) -> bool:
    """Return whether both credentials are set."""
    return bool(settings.account_sid and settings.auth_token and settings.auth_token.get_secret_value())


class TwilioLookup:
    """See :class:`ringfence.core.ports.lookup.Lookup`. Constructing it makes no call. Raises SettingsError."""

    name = NAME

    def __init__(self, settings: TwilioSettings, services: Services) -> None:
        self._session = _open_session(settings)
        self._url = f"{settings.base_url}/v2/PhoneNumbers/"
        self._host = urlsplit(settings.base_url).netloc
        self.realm = f"{NAME}:{self._host}:{settings.account_sid}"
        self._clock = services.clock
        self._contact = FirstContact(_CHECK_ADDRESS)
        self._rate = AdaptiveRate(services.clock)
        self._retries = Retries(self._policy(), services.clock)
        self._pool = LookupPool(NAME, self._look_up_one, _give_up)
        logging.getLogger("urllib3.connectionpool").addFilter(_hide_paths)

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Look each number up once, yielding each answer as it comes.

        Answers that are on their way when Twilio refuses us, or at Ctrl-C, are still yielded, because they are paid,
        before AuthenticationError, QuotaError, UnreachableError or KeyboardInterrupt is raised. QuotaError and
        UnreachableError come when many numbers in a row were refused for passing reasons, again and again.
        """
        return self._pool.look_up(numbers)

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

    def _look_up_one(self, e164: str) -> Answer:
        try:
            return self._retries.call("a lookup", lambda: self._request(e164))
        except RetryError as error:
            return self._answer(e164, AnswerKind.FAILED, code=error.message, paid=False)

    def _request(self, e164: str) -> Answer:
        self._rate.acquire()

        # requests puts the URL, and with it the number, into its errors: they are cut off from ours.
        try:
            response = self._session.get(
                self._url + quote(e164, safe=""),
                params={"Fields": FIELDS},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.ConnectionError as error:
            if never_connected(error):
                raise self._contact.judge(self._host, NoConnectionError("no connection")) from None
            return self._answer(e164, AnswerKind.FAILED, code="cut off")
        except requests.RequestException as error:
            return self._answer(e164, AnswerKind.FAILED, code=f"cut off: {type(error).__name__}")

        self._contact.note_answer(self._host)
        return self._read(e164, response)

    def _read(self, e164: str, response: requests.Response) -> Answer:
        body = _decode(response)
        status = response.status_code
        code = str(body.get("code") or status)

        if status == 200:
            self._rate.speed_up()
            return self._interpret(e164, body)

        if status in (401, 403):
            raise AuthenticationError(
                f"Twilio does not accept the credentials (HTTP {status}, error {code}).",
                "Check RINGFENCE_TWILIO__ACCOUNT_SID and __AUTH_TOKEN; test credentials cannot look numbers up.",
            )

        if status == 429 or status >= 500:
            wait_s = min(read_retry_after(response.headers) or 0.0, LONGEST_WAIT_S)
            if status == 429:
                self._rate.slow_down(wait_s)
            raise RetryError(code, wait_s=wait_s)

        kind = AnswerKind.INCONCLUSIVE if status == 404 else AnswerKind.FAILED
        return self._answer(e164, kind, code=code, paid=False)

    def _interpret(self, e164: str, body: Mapping[str, Any]) -> Answer:
        """Return the answer in the body of a 200; ``valid`` and each package may have failed apart."""
        valid = body.get("valid")
        if valid is False:
            return self._answer(e164, AnswerKind.KNOWN, valid=False, code=",".join(body.get("validation_errors") or ()))
        if valid is not True:
            return self._answer(e164, AnswerKind.FAILED, code="malformed")

        status = body.get("line_status") or {}
        error = str(status.get("error_code") or "")
        line = None if error else LINE_STATES.get(str(status.get("status")))

        kind = AnswerKind.KNOWN if line else AnswerKind.INCONCLUSIVE

        if error in PASSING_CODES:
            kind = AnswerKind.FAILED

        code = error or str(status.get("status") or "")
        return self._answer(e164, kind, valid=True, line=line, line_type=_line_type(body), code=code)

    def _answer(self, e164: str, kind: AnswerKind, **facts: Any) -> Answer:
        return Answer(e164, kind, whole_seconds(self._clock.now()), **facts)


def _open_session(settings: TwilioSettings) -> requests.Session:
    """Return a session that carries the credentials. Raises SettingsError where they are incomplete."""
    if not is_configured(settings) or settings.auth_token is None or settings.account_sid is None:
        raise SettingsError(
            "The Twilio credentials are not set.",
            "Set RINGFENCE_TWILIO__ACCOUNT_SID and RINGFENCE_TWILIO__AUTH_TOKEN.",
        )

    session = requests.Session()
    session.auth = (settings.account_sid, settings.auth_token.get_secret_value())
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=THREADS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _give_up(code: str) -> StoppedError:
    message = f"Twilio refused {MOST_REFUSED} numbers in a row (error {code})."
    if code in ("429", "20429"):
        return QuotaError(message, "Other programs use up the account's rate; run again later.")
    return UnreachableError(message, "Run again later; nothing is lost.")


def _decode(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return {}  # judged by its status; a 200 without a verdict counts as malformed
    return body if isinstance(body, dict) else {}


def _line_type(body: Mapping[str, Any]) -> str | None:
    package = body.get("line_type_intelligence") or {}
    if package.get("type") and not package.get("error_code"):
        return LINE_TYPES.get(str(package["type"]), "unknown")
    return None


def _hide_paths(record: logging.LogRecord) -> bool:
    """Return False for log lines of the HTTP library that would show a looked-up number."""
    return "PhoneNumbers/" not in record.getMessage()


plugin = LookupPlugin(name=NAME, settings=TwilioSettings, configured=is_configured, connect=TwilioLookup)
"""The provider as the registry finds it."""
