"""A request as it came from outside, and what its signature turned out to be."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl

from ringfence.core.errors import UsageError

HOLDS = timedelta(minutes=5)
"""How far the time in a signature may be from ours, before and after (docs/contract.md, section 5)."""

MOST_FIELDS = 200
"""Fields of a form: vendors send about twenty."""


class Finding(StrEnum):
    """What a request's signature turned out to be; a genuine one alone is acted upon."""

    GENUINE = "genuine"
    MISSING = "missing"
    STALE = "stale"  # too far from our time, or without a readable one
    WRONG = "wrong"
    NO_KEY = "no_key"  # nothing is set by which the vendor could be known


@dataclass(frozen=True, slots=True)
class Received:
    """What a signature is made over, and when it came.

    ``url`` is the whole address that the vendor called: the configured public one, path and query undecoded. The names
    of ``headers`` match in any case. ``body`` holds the bytes as they came; ``now`` is aware, in UTC.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    now: datetime

    @property
    def is_form(self) -> bool:
        """Return whether the body is a form, by what the request says of it."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM

    def read_form(self) -> list[tuple[str, str]]:
        """Return the fields of a form in their order, empty ones too. Raises UsageError where it is none."""
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        except ValueError as error:
            raise UsageError("The body is no form.", "Send application/x-www-form-urlencoded in UTF-8.") from error


FORM = "application/x-www-form-urlencoded"


def is_equal(given: str, expected: Iterable[str]) -> bool:
    """Return whether a signature is one of those expected; all are compared, each in constant time."""
    found = False
    for each in expected:
        found |= hmac.compare_digest(given.encode("utf-8", "replace"), each.encode())
    return found


def read_seconds(text: str) -> datetime | None:
    """Return the moment of a Unix time in whole seconds; None where it is none that counts for anything."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def read_moment(text: object) -> datetime | None:
    """Return the aware moment, in UTC, of an ISO 8601 text that names its zone; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def add_plus(number: str) -> str:
    """Return a number as vendors write it, digits with the calling code and no plus, with its plus."""
    text = number.strip()
    return f"+{text}" if text.isascii() and text.isdecimal() and len(text) >= _FEWEST else text


_DIGITS = 11  # up to the year 5138
_FEWEST = 8  # fewer digits are a short code, which belongs to no country
