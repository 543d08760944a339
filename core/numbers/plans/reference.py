"""The numbering plans as `phonenumbers` itself reads them: the reference for the tables, and their fallback."""

import phonenumbers
from phonenumbers import NumberParseException

from ..values import PlanMatch, ReasonCode, Validity
from .ranges import Range, describe

# More regions than the cache of `re` holds patterns would compile every pattern again and again.
phonenumbers.enable_pattern_cache()

_REASONS = {
    NumberParseException.INVALID_COUNTRY_CODE: ReasonCode.BAD_COUNTRY_CODE,
    NumberParseException.NOT_A_NUMBER: ReasonCode.TOO_SHORT,
    NumberParseException.TOO_SHORT_AFTER_IDD: ReasonCode.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: ReasonCode.TOO_SHORT,
    NumberParseException.TOO_LONG: ReasonCode.TOO_LONG,
}


def ask(region: str | None, digits: str) -> tuple[str, Range]:
    """Return the E.164 form of digits and what the library says about it; an empty form when it refuses the digits.

    Takes the region that reads the digits, or None when a plus stands in front.
    """
    try:
        # With a plus the region is left out: the library would quietly read "+0..." as a national number of it.
        number = phonenumbers.parse(digits if region else "+" + digits, region)
    except NumberParseException as error:
        return "", refused(error.error_type)
    code, national = number.country_code or 0, phonenumbers.national_significant_number(number)
    kind, length = phonenumbers.number_type(number), phonenumbers.is_possible_number_with_reason(number)
    region = phonenumbers.region_code_for_number(number)
    return f"+{code}{national}", describe(code, len(national), kind, length, region)


def refused(error_type: int) -> Range:
    """Return what is known of digits that `phonenumbers.parse` refuses with a type of `NumberParseException`."""
    reading = PlanMatch(Validity.INVALID, _REASONS[error_type])
    return Range(False, False, phonenumbers.PhoneNumberType.UNKNOWN, None, reading)
