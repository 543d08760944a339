"""One number as a person types it behind a command: read, or refused with the reason why it is none."""

from __future__ import annotations

from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.model.reasons import SENTENCES
from ringfence.core.numbers import Number, ReasonCode, mask, read_number

from ..wiring import Wiring
from .regions import home_region


def read_one(wiring: Wiring, text: str, region: str | None) -> str:
    """Return the E.164 number that a text certainly is; ``region`` is the country of a national number.

    Raises UsageError where it is no number, or may be several.
    """
    number = read_any(wiring, text, region)
    if number.e164 is None:
        raise UsageError(
            f"{mask(text)} cannot be read as one number: {SENTENCES[number.reason]}.",
            "Write it with its plus and calling code.",
        )
    if number.others:
        raise UsageError(
            f"{mask(number.e164)} is not the only number given: there are {len(number.others)} more.",
            "Name one number a time.",
        )
    return number.e164


def read_any(wiring: Wiring, text: str, region: str | None) -> Number:
    """Return a text as a number. Raises UsageError for a region that is none, and where only a region is missing."""
    number = read_number(text, home_region(wiring, region))
    if number.e164 is None and number.reason is ReasonCode.NO_REGION:
        raise UsageError(
            f"{mask(text)} is a national number, and nobody knows of which country.",
            code=ErrorCode.NUMBER_WITHOUT_REGION,
        )
    return number
