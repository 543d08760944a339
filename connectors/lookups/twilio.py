"""Twilio Lookup v2: `line_status` and `line_type_intelligence` of one number per call.

HTTP 200 is not "checked": a number that cannot exist and a package that failed both come inside a 200. A call that was
cut off after it was sent may have been billed, so it is never repeated here: its answer is a failure that says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from ringfence.core.clock import whole_seconds
from ringfence.core.config.addresses import check_address
from ringfence.core.errors import (
    AuthenticationError,
    QuotaError,
    RetryError,
    RingfenceError,
    SettingsError,
    StoppedError,
    UnreachableError,
)
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.ports.lookup import LookupPlugin
from ringfence.core.ports.services import Services

from .pace import Pace

NAME = "twilio"
THREADS = 8
ATTEMPTS = 4
MOST_IN_VAIN = 3 * THREADS
"""Numbers refused in a row, each after all its attempts, before the rest is left for another time."""

TIMEOUT_S = (10.0, 30.0)  # to connect, to answer: live status waits for the far network
FIELDS = "line_status,line_type_intelligence"

LINE_STATES = {"active": "active", "reachable": "active", "inactive": "disconnected", "unreachable": "unreachable"}
"""Twilio's line status -> line state (contract, section 1). Whatever else it says adds nothing."""

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
"""Twilio's line type -> line type (contract, section 1); any other is `unknown`."""

PASSING_CODES = frozenset({"60611", "60616", "60626", "20429"})
"""Package quota, package rate, rate per number, too many requests: the answer may come another time."""


class NoConnectionError(RetryError):
    """A host that answered before takes no connection: nothing was asked, so nothing was billed."""


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
        if not is_configured(settings) or settings.auth_token is None or settings.account_sid is None:
            raise SettingsError(
                "The Twilio credentials are not set.",
                "Set RINGFENCE_TWILIO__ACCOUNT_SID and RINGFENCE_TWILIO__AUTH_TOKEN.",
            )
        self._host = urlsplit(settings.base_url).netloc
        self.realm = f"{NAME}:{self._host}:{settings.account_sid}"
        self._url = f"{settings.base_url}/v2/PhoneNumbers/"
        self._clock = services.clock
        self._reached = False
        self._pace = Pace(services.clock)
        self._session = requests.Session()
        self._session.auth = (settings.account_sid, settings.auth_token.get_secret_value())
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=THREADS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        logging.getLogger("urllib3.connectionpool").addFilter(_hide_paths)

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Ask about each number once, yielding each answer as it comes.

        Answers that are on their way when Twilio refuses us, or at Ctrl-C, are still yielded, because they are paid,
        before AuthenticationError, QuotaError, UnreachableError or KeyboardInterrupt is raised. QuotaError and
        UnreachableError come when many numbers in a row were refused for passing reasons, again and again.
        """
        waiting = _distinct(numbers)
        running: set[Future[Answer]] = set()
        failure: BaseException | None = None
        in_vain = 0
        with ThreadPoolExecutor(THREADS, thread_name_prefix=NAME) as pool:
            while True:
                while failure is None and len(running) < THREADS and (number := next(waiting, None)) is not None:
                    running.add(pool.submit(self._ask, number))
                if not running:
                    break
                try:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                except KeyboardInterrupt as stop:
                    # What is on its way is paid. Who presses Ctrl-C again does not want to wait for it.
                    if isinstance(failure, KeyboardInterrupt):
                        raise
                    failure = stop
                    continue
                for future in done:
                    if (error := future.exception()) is not None:
                        failure = failure or error
                        continue
                    answer = future.result()
                    in_vain = in_vain + 1 if answer.kind is AnswerKind.FAILED and not answer.paid else 0
                    if in_vain >= MOST_IN_VAIN:
                        failure = failure or self._give_up(answer.code)
                    yield answer
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, e164: str) -> Answer:
        retrying = Retrying(
            retry=retry_if_exception_type(RetryError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_pause,
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            return retrying(self._ask_once, e164)
        except NoConnectionError:
            raise self._unreachable() from None
        except RetryError as error:
            return self._answer(e164, AnswerKind.FAILED, code=error.message, paid=False)

    def _ask_once(self, e164: str) -> Answer:
        self._pace.acquire()
        # requests puts the URL, and with it the number, into its errors: they are cut off from ours.
        try:
            answer = self._session.get(
                self._url + quote(e164, safe=""),
                params={"Fields": FIELDS},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.ConnectTimeout:
            raise self._unreached() from None
        except requests.ConnectionError as error:
            if _never_sent(error):
                raise self._unreached() from None
            return self._answer(e164, AnswerKind.FAILED, code="cut off")
        except requests.RequestException as error:
            return self._answer(e164, AnswerKind.FAILED, code=f"cut off: {type(error).__name__}")
        self._reached = True
        return self._read(e164, answer)

    def _unreached(self) -> RingfenceError:
        # A host that never answered is a wrong address; one that did may come back.
        return NoConnectionError("no connection") if self._reached else self._unreachable()

    def _unreachable(self) -> UnreachableError:
        return UnreachableError(
            f"{self._host} cannot be reached.", "Check RINGFENCE_TWILIO__BASE_URL and the network, then run again."
        )

    def _give_up(self, code: str) -> StoppedError:
        told = f"Twilio refused {MOST_IN_VAIN} numbers in a row (error {code})."
        if code in ("429", "20429"):
            return QuotaError(told, "Other programs use up the account's rate; run again later.")
        return UnreachableError(told, "Run again later; nothing is lost.")

    def _read(self, e164: str, answer: requests.Response) -> Answer:
        body = _decode(answer)
        code = str(body.get("code") or answer.status_code)
        if answer.status_code == 200:
            self._pace.speed_up()
            return self._interpret(e164, body)
        if answer.status_code in (401, 403):
            raise AuthenticationError(
                f"Twilio does not accept the credentials (HTTP {answer.status_code}, error {code}).",
                "Check RINGFENCE_TWILIO__ACCOUNT_SID and __AUTH_TOKEN; test credentials cannot look numbers up.",
            )
        if answer.status_code == 429:
            self._pace.slow_down(_asked_wait(answer) or 0.0)
        if answer.status_code == 429 or answer.status_code >= 500:
            raise RetryError(code, wait_s=_asked_wait(answer))
        kind = AnswerKind.INCONCLUSIVE if answer.status_code == 404 else AnswerKind.FAILED
        return self._answer(e164, kind, code=code, paid=False)

    def _interpret(self, e164: str, body: Mapping[str, Any]) -> Answer:
        valid = body.get("valid")
        if valid is False:
            return self._answer(e164, AnswerKind.KNOWN, valid=False, code=",".join(body.get("validation_errors") or ()))
        if valid is not True:
            return self._answer(e164, AnswerKind.FAILED, code="malformed")
        status = body.get("line_status") or {}
        kind_of_line = body.get("line_type_intelligence") or {}
        line_type = None
        if kind_of_line.get("type") and not kind_of_line.get("error_code"):
            line_type = LINE_TYPES.get(str(kind_of_line["type"]), "unknown")
        error = str(status.get("error_code") or "")
        line = None if error else LINE_STATES.get(str(status.get("status")))
        kind = AnswerKind.KNOWN if line else AnswerKind.INCONCLUSIVE
        if error in PASSING_CODES:
            kind = AnswerKind.FAILED
        code = error or str(status.get("status") or "")
        return self._answer(e164, kind, valid=True, line=line, line_type=line_type, code=code)

    def _answer(self, e164: str, kind: AnswerKind, **said: Any) -> Answer:
        return Answer(e164, kind, whole_seconds(self._clock.now()), **said)


def _distinct(numbers: Iterable[str]) -> Iterator[str]:
    """Yield each number once, taking it only when it is asked for."""
    seen: set[str] = set()
    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number


def _decode(answer: requests.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return {}  # judged by its status; a 200 without a verdict counts as malformed
    return body if isinstance(body, dict) else {}


def _never_sent(error: requests.ConnectionError) -> bool:
    """Return whether no connection came about, so that nothing can have been billed."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "SSLError")


def _asked_wait(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return min(float(value), 60.0) if value.isdecimal() else None


_BACKOFF = wait_exponential(multiplier=0.5, max=20) + wait_random(0, 1)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, RetryError) and error.wait_s else 0.0
    return asked + _BACKOFF(state)


def _hide_paths(record: logging.LogRecord) -> bool:
    """Return False for log lines of the HTTP library that would show a looked-up number."""
    return "PhoneNumbers/" not in record.getMessage()


plugin = LookupPlugin(name=NAME, settings=TwilioSettings, configured=is_configured, connect=TwilioLookup)
"""The provider as the registry finds it."""
