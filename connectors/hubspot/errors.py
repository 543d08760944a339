"""HubSpot's refusals: answer -> our error, and error of a row -> outcome of the row.

The table is matched from the top: status, then the limit's policy where one is named. Recorded 429 answers carry no
``Retry-After``, so each policy brings its own pause; HubSpot's own JavaScript client waits as long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ringfence.core.errors import AccessError, AuthenticationError, QuotaError, RetryError, RingfenceError, SchemaError
from ringfence.core.model.values import Outcome, RowResult
from ringfence.core.numbers import mask_numbers

from ..http.retry import read_retry_after
from .settings import VARIABLE


class Action(Enum):
    """What helps against a refusal."""

    WAIT = auto()  # the same call will work later
    SLOW_DOWN = auto()  # likewise, and calls went out too fast
    STOP = auto()  # a quota is used up
    LOG_IN = auto()  # credentials
    GRANT = auto()  # scopes
    CORRECT = auto()  # the request itself


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: statuses, the limit's policy or "" for any, what helps, and the pause in seconds."""

    statuses: range
    policy: str
    action: Action
    wait_s: float = 0.0


def _only(status: int) -> range:
    return range(status, status + 1)


RULES = (
    Rule(_only(429), "DAILY", Action.STOP),
    Rule(_only(429), "SECONDLY", Action.SLOW_DOWN, 1.0),
    Rule(_only(429), "TEN_SECONDLY_ROLLING", Action.SLOW_DOWN, 10.0),
    Rule(_only(429), "", Action.SLOW_DOWN, 10.0),
    Rule(_only(423), "", Action.WAIT, 2.0),  # a record lock lasts two seconds
    Rule(_only(477), "", Action.WAIT, 60.0),  # the portal moves between data centres; Retry-After says how long
    Rule(_only(408), "", Action.WAIT, 3.0),
    Rule(range(500, 600), "", Action.WAIT, 3.0),
    Rule(_only(401), "", Action.LOG_IN),
    Rule(_only(403), "", Action.GRANT),
    Rule(range(400, 500), "", Action.CORRECT),
)

MOST_SCOPES = 5
"""Scopes that a message names at most, where none of them is the one that we know."""

_SCOPE_NAMES = {"contact": "contacts", "0-1": "contacts", "company": "companies", "0-2": "companies"}
_CUSTOM = ("2-", "p_")  # how ids and names of a portal's own objects begin

ROW_CONFLICTS = frozenset({"OBJECT_NOT_FOUND"})
"""Row errors whose cause is that the record is gone, not that a value is bad."""


class AnswerError(SchemaError):
    """HubSpot refused the request itself; ``status``, ``category`` and ``words`` are its own, numbers masked."""

    def __init__(self, message: str, remedy: str, *, status: int, category: str, words: str) -> None:
        super().__init__(message, remedy)
        self.status = status
        self.category = category
        self.words = words


class RateLimitError(RetryError):
    """Calls went out too fast: a passing fault that ends as QuotaError when waiting does not help."""


def find_rule(status: int, body: Mapping[str, Any]) -> Rule | None:
    """Return the row of the table for an answer that is no success, or None for a status nobody expects."""
    policy = _policy(body)
    return next((rule for rule in RULES if status in rule.statuses and rule.policy in ("", policy)), None)


def object_scope(object_name: str, access: str) -> str:
    """Return the scope that lets a token read or write the records of an object."""
    name = object_name.lower()
    known = "custom" if name.startswith(_CUSTOM) else _SCOPE_NAMES.get(name, name)
    return f"crm.objects.{known}.{access}"


def schema_scope(object_name: str, access: str) -> str:
    """Return the scope that lets a token read or write the properties of an object."""
    return object_scope(object_name, access).replace("objects", "schemas", 1)


def read_error(
    what: str, status: int, headers: Mapping[str, str], body: Mapping[str, Any], scope: str = ""
) -> RingfenceError:
    """Return our error for an answer that is no success.

    ``what`` names the call in the message ("the search of contacts"), ``scope`` what it takes of a token, as far as
    that is known. Passing faults come as RetryError with the pause to make.
    """
    rule = find_rule(status, body)
    code, words = read_words(body)
    message = f"HubSpot refused {what} (HTTP {status}{f', {code}' if code else ''}){f': {words}' if words else '.'}"
    if rule is None:
        return RetryError(f"HubSpot answered {what} with HTTP {status}.")
    if rule.action is Action.STOP:
        return QuotaError(
            "The daily limit of the HubSpot portal is used up.", "Run again after midnight in the portal's time zone."
        )
    if rule.action in (Action.WAIT, Action.SLOW_DOWN):
        kind = RateLimitError if rule.action is Action.SLOW_DOWN else RetryError
        return kind(message, wait_s=read_retry_after(headers) or rule.wait_s)

    if rule.action is Action.LOG_IN:
        return AuthenticationError(
            f"HubSpot does not accept the token ({words or code or 'HTTP 401'}).",
            f"Check {VARIABLE}ACCESS_TOKEN: it may be mistyped, expired or rotated.",
        )

    if rule.action is Action.GRANT:
        return AccessError(f"HubSpot refuses the token {what}: {_needed(scope, body) or words}.", _GRANT)

    return AnswerError(message, "Run `ringfence check hubspot`.", status=status, category=code, words=words)


_GRANT = "Add the scopes to the service key or app in HubSpot's settings and run `ringfence check hubspot`."


def read_words(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return (code, message) of an error body or of one row error, phone numbers masked.

    A validation message holds a JSON list of the offending properties; the first of them is returned.
    """
    code = str(body.get("category") or body.get("errorType") or body.get("code") or "")
    words = str(body.get("message") or "")
    start = words.find("[{")

    if start >= 0:
        try:
            first = json.loads(words[start:])[0]
        except ValueError:
            return code, mask_numbers(words)
        code = str(first.get("error") or code)
        words = f"{first.get('name', 'a property')}: {first.get('message', '')}"

    return code, mask_numbers(words)


def read_row_error(error: Mapping[str, Any]) -> RowResult:
    """Return the outcome of a row for the error that a 207 answer names for it."""
    code, words = read_words(error)
    category = str(error.get("category") or code)
    outcome = Outcome.CONFLICT if category in ROW_CONFLICTS else Outcome.REFUSED
    return RowResult(outcome, code, words)


_LIMIT = re.compile(r"reached your (\w+) limit", re.IGNORECASE)


def _policy(body: Mapping[str, Any]) -> str:
    # Search answers carry no policyName, only the sentence.
    if named := body.get("policyName"):
        return str(named).upper()
    match = _LIMIT.search(str(body.get("message") or ""))
    return match.group(1).upper() if match else ""


def _needed(scope: str, body: Mapping[str, Any]) -> str:
    """Return which scope the call needs. HubSpot may name dozens that would do; the narrowest is known to us."""
    named: set[str] = set()
    for error in body.get("errors") or ():
        context = error.get("context") or {}
        named.update(context.get("requiredGranularScopes") or context.get("requiredScopes") or ())

    if scope and (not named or scope in named):
        return f"it needs {scope}"
    others = sorted(named)
    more = f" or {len(others) - MOST_SCOPES} others" if len(others) > MOST_SCOPES else ""
    if not named:
        return ""
    listed = f"{', '.join(others[:MOST_SCOPES])}{more}"
    return f"it needs {scope}, and HubSpot names {listed}" if scope else f"it needs one of {listed}"
