"""The moments of calls and messages, in the forms in which exports have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

from ringfence.core.config.history_profile import RFC2822, UNIX
from ringfence.core.errors import UsageError

_UTC_WORDS = (" UTC", " GMT", " Z")
_SECONDS, _MILLISECONDS = 10, 13  # digits of a Unix time from 2001 to 2286
_LONGEST = 60


def read_history_moment(text: str, forms: Sequence[str], zone: tzinfo | None) -> datetime | None:
    """Return the aware moment, in UTC, of a text in ISO 8601 or one of the forms; None where it is none.

    ``zone`` is that of moments that name none. Raises UsageError where one is needed and there is none.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    word = next((word for word in _UTC_WORDS if text.endswith(word)), "")
    found = _read(text.removesuffix(word), forms)
    if found is None and word:
        found = _read(text, forms)
    if found is None:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC if word else _need(zone, text))
    try:
        return found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _need(zone: tzinfo | None, text: str) -> tzinfo:
    if zone is None:
        raise UsageError(
            f"The moment {text!r} does not say of which time zone it is.",
            "Name the zone with --timezone, as in --timezone Europe/Berlin, or as `timezone` in a profile of your own.",
        )
    return zone


def _read(text: str, forms: Sequence[str]) -> datetime | None:
    """Return the moment that a text tells, with a zone or without; None where it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in forms:
        try:
            if form == UNIX:
                if (found := _read_unix(text)) is not None:
                    return found
            elif form == RFC2822:
                return parsedate_to_datetime(text)
            else:
                return datetime.strptime(text, form)  # noqa: DTZ007 - whoever asked adds the zone
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _read_unix(text: str) -> datetime | None:
    if not (text.isascii() and text.isdecimal() and len(text) in (_SECONDS, _MILLISECONDS)):
        return None
    return datetime.fromtimestamp(int(text[:_SECONDS]), UTC)
