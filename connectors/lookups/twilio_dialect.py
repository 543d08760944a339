"""What Twilio Lookup v2 is asked about one number, and how its answers and refusals are told apart.

HTTP 200 is not "checked": a number that cannot exist and a package that failed both come inside a 200, and so does the
page of a captive portal.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import quote

from ringfence.core.errors import SettingsError
from ringfence.core.model.axes import Outcome
from ringfence.core.numbers import read_number
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .exchange import TIMEOUT_S, Exchange, Reply, Request
from .http_lookup import HttpLookup, threads_for
from .reading import Reading
from .refusals import Refusal
from .twilio_answers import (
    ERRORS,
    NOT_ENABLED,
    PACKAGES,
    REASSIGNED,
    is_error,
    is_result,
    read_error,
    read_result,
    reassigned_error,
)
from .twilio_settings import NAME, PROFILE, TwilioSettings, is_configured
from .words import as_text

logger = logging.getLogger(__name__)

_PATH = "/v2/PhoneNumbers/"

FREE_NUMBER = "+14155550100"
"""A number of fiction: its format alone is asked for, which Twilio does for nothing."""

_ACCOUNT = "RINGFENCE_TWILIO__ACCOUNT_SID and __AUTH_TOKEN"


def connect(settings: TwilioSettings, services: Services) -> Lookup:
    """Return the connector; no call is made. Raises SettingsError where the credentials are incomplete."""
    if not is_configured(settings) or settings.auth_token is None or settings.account_sid is None:
        raise SettingsError(
            "The Twilio credentials are not set.",
            "Set RINGFENCE_TWILIO__ACCOUNT_SID and RINGFENCE_TWILIO__AUTH_TOKEN.",
        )
    threads = threads_for(settings.pace)
    exchange = Exchange(
        NAME,
        PROFILE.title,
        settings.base_url,
        services,
        account=settings.account_sid,
        auth=(settings.account_sid, settings.auth_token.get_secret_value()),
        pace=settings.pace,
        connections=threads,
        timeout_s=TIMEOUT_S,
    )
    return HttpLookup(
        PROFILE,
        exchange,
        TwilioDialect(settings.reassigned_since),
        services,
        price=settings.price,
        threads=threads,
        free_check=_check,
        credentials=f"{_ACCOUNT}; test credentials cannot look numbers up",
        describe_refusal=_describe,
    )


class TwilioDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`.

    Where ``since`` is given, numbers of the United States are asked whether they have changed hands since that day.
    """

    def __init__(self, since: date | None = None) -> None:
        self._since = since
        self._told: set[str] = set()

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about the one number; in E.164 it needs no country code beside it."""
        params = {"Fields": ",".join(PACKAGES)}
        if self._since is not None and read_number(numbers[0], None).region == "US":
            params = {"Fields": ",".join((*PACKAGES, REASSIGNED)), "LastVerifiedDate": f"{self._since:%Y%m%d}"}
        return Request("GET", _PATH + quote(numbers[0], safe=""), params=params)

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the answer says, by its body first."""
        body = reply.mapping
        if reply.status == 200 and is_result(body):
            self._tell_of_reassignment(reassigned_error(body))
            return {numbers[0]: read_result(body)}

        code = as_text(body.get("code")) or str(reply.status)
        if reply.status == 429 or (reply.status == 503 and "Retry-After" in reply.headers):
            return Refusal(Outcome.RATE_LIMITED, code)
        if code in ERRORS:
            return {numbers[0]: read_error(code)}
        return _read_refusal(reply, code)

    def _tell_of_reassignment(self, error: str) -> None:
        if error and error not in self._told:
            self._told.add(error)
            logger.warning(
                "Twilio does not tell whether numbers have gone to somebody else (error %s); the rest of its answers "
                "stands. Ask Twilio to enable Reassigned Number, or unset RINGFENCE_TWILIO__REASSIGNED_SINCE.",
                error,
            )


def _read_refusal(reply: Reply, code: str) -> Refusal | None:
    """Return what a refusal without the error of a package says; None for that of a proxy or a captive portal."""
    if reply.status >= 500:
        return Refusal(Outcome.PROVIDER_ERROR, code, paid=True)
    if reply.status == 401:
        return Refusal(Outcome.AUTH_FAILED, f"HTTP {reply.status}, error {code}")
    if not is_error(reply.status, reply.mapping):
        return None
    if reply.status == 403:
        return Refusal(Outcome.AUTH_FAILED, f"HTTP {reply.status}, error {code}")
    return Refusal(Outcome.BAD_REQUEST if reply.status in (400, 404) else Outcome.PROVIDER_ERROR, code)


def _check(exchange: Exchange) -> Refusal | None:
    """Ask for the format of a number of fiction."""
    reply = exchange.send(Request("GET", _PATH + quote(FREE_NUMBER, safe="")))
    if reply.status == 200 and is_result(reply.mapping):
        return None
    refusal = _read_refusal(reply, as_text(reply.mapping.get("code")) or str(reply.status))
    if refusal is None:
        raise exchange.somebody_else(reply.status)
    return refusal


def _describe(code: str, paid: bool) -> str:
    """Return the sentence for a package that the account may not ask."""
    if code != NOT_ENABLED:
        return f"Twilio tells nothing of Canadian numbers without an approval (error {code}); ask Twilio for it."
    billed = " Each lookup is still billed for the line type." if paid else ""
    return (
        f"Twilio does not tell the line status: the package is not enabled for this account (error {code}). Numbers "
        "keep their offline status. Ask Twilio to enable Line Status of Lookup v2, or take twilio off "
        f"RINGFENCE_LOOKUP__PROVIDERS.{billed}"
    )
