"""What the service says about an error of the core: which status, and in which words.

A caller over HTTP can change nothing about settings, files and the state store: it is told whether to call again, and
the log has the rest. Only what is about the request itself is told as the core says it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.core.errors import (
    ErrorCode,
    FixError,
    QuotaError,
    RefusedError,
    RetryError,
    RingfenceError,
    StateError,
    StoppedError,
    UsageError,
)
from ringfence.core.numbers import mask_numbers

RETRY_S = 5
"""After how many seconds a caller is asked to come back where something passes by itself."""


@dataclass(frozen=True, slots=True)
class Words:
    """How an error is answered: ``detail`` for the caller, empty: what the core says; ``passes``: call again."""

    status: int
    detail: str = ""
    passes: bool = False


_CLASSES: tuple[tuple[type[RingfenceError], Words], ...] = (
    (UsageError, Words(422)),
    (StateError, Words(503, "The state store does not work. The log of the service says why.", passes=True)),
    (FixError, Words(500, "The service is not set up for this. Its log says what is missing.")),
    (RefusedError, Words(502, "The system behind this refused the service. Its log says why.")),
    (QuotaError, Words(503, "A limit or a budget is used up. Call again later.", passes=True)),
    (StoppedError, Words(503, "This cannot be answered right now. Call again.", passes=True)),
    (RetryError, Words(503, "This cannot be answered right now. Call again.", passes=True)),
    (RingfenceError, Words(500, "A fault of ringfence itself; its log has more under the id of this request.")),
)
"""The first class that an error belongs to decides."""

_CODES: dict[ErrorCode, Words] = {
    ErrorCode.LISTS_EXPIRED: Words(
        503, "A list of numbers that must not be called has expired: nobody can say who may be.", passes=True
    ),
    ErrorCode.LOOKUPS_NOT_AGREED: Words(
        503, "No cap of the day is set for lookups, so that none are bought.", passes=False
    ),
    ErrorCode.PRICE_NOT_KNOWN: Words(
        503, "What lookups may cost is capped, and nobody has set what they cost: none are bought.", passes=False
    ),
    ErrorCode.NUMBER_WITHOUT_REGION: Words(
        422, "The number names no country. Write it with its plus and calling code, or send its region."
    ),
    ErrorCode.JOB_NOT_FOUND: Words(404),
    ErrorCode.REVIEW_NOT_FOUND: Words(404),
    ErrorCode.RUN_NOT_FOUND: Words(404),
    ErrorCode.REVIEW_DECIDED: Words(409),
}
"""Situations that are answered in another way than their class is."""


def find_words(error: RingfenceError) -> Words:
    """Return how an error is answered; ``detail`` is filled."""
    words = _CODES.get(error.code) or next(words for kind, words in _CLASSES if isinstance(error, kind))
    return words if words.detail else Words(words.status, mask_numbers(str(error)), words.passes)
