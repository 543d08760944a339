"""Salesforce's refusals: code or status -> our error, and code of a row -> outcome of the row.

Codes come first, the HTTP status decides where there is no known code (docs/vendors/salesforce.md, section 2.8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from ringfence.core.errors import (
    AccessError,
    AuthenticationError,
    QuotaError,
    RetryError,
    RingfenceError,
    SchemaError,
    SettingsError,
    UnreachableError,
)
from ringfence.core.model.values import Outcome, RowResult
from ringfence.core.numbers import mask_numbers

from .settings import VARIABLE


class Action(Enum):
    """What helps against a refusal."""

    WAIT = auto()  # the same call will work later
    SLOW_DOWN = auto()  # likewise: too many long requests at once
    STOP = auto()  # the daily quota is used up
    LOG_IN = auto()  # credentials, or a token that has expired
    GRANT = auto()  # permissions
    RESTART = auto()  # the query cursor has expired: a new query reads on behind the last row
    RENAME = auto()  # a field or object that the org lacks or hides: the same for every row
    CORRECT = auto()  # the request itself


QUERY_TIMEOUT = "QUERY_TIMEOUT"

CODES = {
    "INVALID_SESSION_ID": Action.LOG_IN,
    "INVALID_AUTH_HEADER": Action.LOG_IN,
    "Bad_OAuth_Token": Action.LOG_IN,
    "REQUEST_LIMIT_EXCEEDED": Action.STOP,
    "SERVER_UNAVAILABLE": Action.WAIT,
    "UNKNOWN_EXCEPTION": Action.WAIT,
    QUERY_TIMEOUT: Action.WAIT,
    "UNABLE_TO_LOCK_ROW": Action.WAIT,
    "PROCESSING_HALTED": Action.WAIT,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": Action.WAIT,
    "API_DISABLED_FOR_ORG": Action.GRANT,
    "API_CURRENTLY_DISABLED": Action.GRANT,
    "INSUFFICIENT_ACCESS": Action.GRANT,
    "INSUFFICIENT_ACCESS_OR_READONLY": Action.GRANT,
    "TXN_SECURITY_METERING_ERROR": Action.GRANT,
    "INVALID_QUERY_LOCATOR": Action.RESTART,
    "INVALID_FIELD": Action.RENAME,
    "INVALID_TYPE": Action.RENAME,
    "MALFORMED_QUERY": Action.RENAME,
    "NOT_FOUND": Action.RENAME,
}
STATUSES = {
    401: Action.LOG_IN,
    403: Action.GRANT,
    406: Action.WAIT,  # 406 and 420 were seen as passing faults of Salesforce's edge
    408: Action.WAIT,
    420: Action.WAIT,
    429: Action.SLOW_DOWN,
}

ROW_CONFLICTS = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "CANNOT_UPDATE_CONVERTED_LEAD"})
"""Row codes that say that the record was deleted, merged or converted since it was read."""

ROW_RETRIES = frozenset({"UNABLE_TO_LOCK_ROW", "PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})
"""Row codes for which sending the row again may help."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN_ADDRESS = "https://acme.my.salesforce.com"

_OVERLOAD = re.compile(
    r"LimitException|Apex (CPU time|heap size)|Too many [^:.]+: ?\d+|Too many batch retries in the presence of Apex",
    re.I,
)
"""What says that triggers or flows ran into a limit that counts for all records written together."""

_CLIENT_LIMIT_WORDS = "TotalRequests"


@dataclass(frozen=True, slots=True)
class Fault:
    """Salesforce's own code (empty where it gave none) and words, phone numbers masked."""

    code: str
    words: str

    @property
    def locked(self) -> bool:
        """Return whether sending the row again may help; a lock may hide inside the text of a failed trigger."""
        return self.code in ROW_RETRIES or "UNABLE_TO_LOCK_ROW" in self.words

    @property
    def overloaded(self) -> bool:
        """Return whether fewer rows at once may go through: the org's automation ran into a limit of its own."""
        return not self.locked and _OVERLOAD.search(self.words) is not None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.code, self.words) if part)


class AnswerError(SchemaError):
    """Salesforce refused the request itself: ``fault`` holds its code and words."""

    def __init__(self, message: str, remedy: str, fault: Fault) -> None:
        super().__init__(message, remedy)
        self.fault = fault


class SessionError(AuthenticationError):
    """The token was refused; a new one may help."""


class LocatorError(RetryError):
    """The query cursor has expired: the reader has to start a new query behind the last row."""


class QueryTimeoutError(RetryError):
    """Salesforce broke a query off after two minutes. It would do so again: reads go another way (``slow_queries``)."""


class JobGoneError(UnreachableError):
    """A Bulk job cannot be used: deleted, expired after seven days, or created under another API version."""


class DailyLimitError(QuotaError):
    """Salesforce refuses a call because the day's calls are used up; the transport adds when to run again."""


class ConcurrencyLimitError(RetryError):
    """Too many long calls at once: a passing fault that ends as QuotaError when waiting does not help."""


def read_fault(content: object) -> Fault:
    """Return the first fault in an answer's body: a list of ``errorCode`` or ``statusCode``, or OAuth's two keys."""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        word = first.strip() if isinstance(first, str) else ""
        return Fault(word if re.fullmatch(r"[A-Za-z]+(_[A-Za-z]+)+", word) else "", "")
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    words = first.get("message") or first.get("error_description") or ""
    return Fault(str(code), mask_numbers(" ".join(str(words).split())))


def read_job_fault(text: str) -> Fault:
    """Return the fault of a row of ``failedResults``, which reads ``CODE:message:fields --`` in recordings."""
    code, _, rest = text.strip().partition(":")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", code):
        return Fault("UNKNOWN", mask_numbers(text))
    words, _, fields = rest.removesuffix("--").rpartition(":")
    shown = f"{words} ({fields.strip()})" if fields.strip() else words
    return Fault(code, mask_numbers(" ".join(shown.split())))


def find_action(status: int, fault: Fault) -> Action:
    """Return what helps against a refused request."""
    if fault.code == "REQUEST_LIMIT_EXCEEDED" and _CLIENT_LIMIT_WORDS not in fault.words:
        return Action.SLOW_DOWN
    if fault.code in CODES:
        return CODES[fault.code]
    return STATUSES.get(status, Action.WAIT if status >= 500 else Action.CORRECT)


def read_error(what: str, status: int, content: object) -> RingfenceError:
    """Return our error for a refused request; ``what`` names the call in the message."""
    if status in REDIRECTS:
        return SettingsError(
            f"{what[:1].upper()}{what[1:]} was answered with a redirect (HTTP {status}), which is not followed.",
            f"Set {VARIABLE}INSTANCE_URL or {VARIABLE}LOGIN_URL to the org's own address: {_OWN_ADDRESS}.",
        )

    fault = read_fault(content)
    message = f"Salesforce refused {what}: {str(fault).rstrip('.') or f'HTTP {status}'}."
    match find_action(status, fault):
        case Action.WAIT:
            return QueryTimeoutError(message) if fault.code == QUERY_TIMEOUT else RetryError(message)
        case Action.SLOW_DOWN:
            return ConcurrencyLimitError(message)
        case Action.STOP:
            return DailyLimitError(message, "The org's daily API calls are used up.")
        case Action.LOG_IN:
            return SessionError(
                message, f"Check {VARIABLE}ACCESS_TOKEN or the OAuth settings: the token is not accepted."
            )
        case Action.GRANT:
            return AccessError(message, "Give the user the permission that Salesforce names, API access included.")
        case Action.RESTART:
            return LocatorError(message)

    if not fault.code and status in (404, 405):
        remedy = f"Check {VARIABLE}INSTANCE_URL: this does not answer as Salesforce does."
    else:
        remedy = "Check the mapping, the user's field-level security and the API version; see `ringfence check`."

    return AnswerError(message, remedy, fault)


def web_page_error(host: str) -> SettingsError:
    """Return the error for a host that answers with a web page, naming the API's address where the host tells it."""
    domain, found, _ = host.partition(".lightning.force.com")
    address = f"https://{domain}.my.salesforce.com" if found else _OWN_ADDRESS
    return SettingsError(
        f"{host} answers with a web page: this is not the API.",
        f"Set {VARIABLE}INSTANCE_URL or {VARIABLE}LOGIN_URL to the address of the API; it looks like {address}.",
    )


def read_row_error(fault: Fault) -> RowResult:
    """Return the outcome of a row that Salesforce did not write."""
    outcome = Outcome.CONFLICT if fault.code in ROW_CONFLICTS else Outcome.REFUSED
    return RowResult(outcome, fault.code or "UNKNOWN", fault.words)
