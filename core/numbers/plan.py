"""Asks the numbering plan about digits: the one place that calls `phonenumbers`.

After the text is cleaned everything the plan says depends on three things only: whether there is a plus, the digits,
and the default region. `evaluate` takes exactly these, so that it can be replaced by something faster.
"""

import re
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType, ValidationResult

from .values import LineType, Reading, ReasonCode, Validity

# More regions than the cache of `re` holds patterns would compile every pattern again and again.
phonenumbers.enable_pattern_cache()

# ITU-T E.164: at most 15 digits with the calling code. The plans of some regions allow longer ones.
MAX_E164_DIGITS = 15
# The shortest national numbers have 4 digits (Niue), the longest that `phonenumbers` takes have 17.
MIN_NATIONAL_DIGITS = 4
MAX_NATIONAL_DIGITS = 17

# ITU-T E.164 list of calling codes: 870 is Inmarsat, 881 the global mobile satellite system.
_SATELLITE_CODES = frozenset((870, 881))

# The region of a calling code that belongs to no country (UN M.49: the world).
NO_COUNTRY = "001"
# Every region that has a numbering plan.
REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)

_CALLING_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))

_LINE_TYPES = {
    PhoneNumberType.FIXED_LINE: LineType.LANDLINE,
    PhoneNumberType.MOBILE: LineType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: LineType.FIXED_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: LineType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: LineType.PREMIUM,
    PhoneNumberType.SHARED_COST: LineType.SHARED_COST,
    PhoneNumberType.VOIP: LineType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: LineType.PERSONAL,
    PhoneNumberType.PAGER: LineType.PAGER,
    PhoneNumberType.UAN: LineType.UAN,
    PhoneNumberType.VOICEMAIL: LineType.VOICEMAIL,
}

_PARSE_REASONS = {
    NumberParseException.INVALID_COUNTRY_CODE: ReasonCode.BAD_COUNTRY_CODE,
    NumberParseException.NOT_A_NUMBER: ReasonCode.TOO_SHORT,
    NumberParseException.TOO_SHORT_AFTER_IDD: ReasonCode.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: ReasonCode.TOO_SHORT,
    NumberParseException.TOO_LONG: ReasonCode.TOO_LONG,
}


def metadata_version() -> str:
    """Return the version of the numbering plans; a verdict made with another one may have changed."""
    return str(phonenumbers.__version__)


def known_region(region: str | None) -> str | None:
    """Return the region in upper case, or None when no numbering plan is known for it."""
    if region is None:
        return None
    upper = region.upper()
    return upper if upper in REGIONS else None


def evaluate(plus: bool, digits: str, region: str | None) -> Reading:
    """Return what the numbering plan says.

    Takes whether a plus stands in front, ASCII digits only, and the default region (`known_region`) that reads digits
    without a plus. Raises nothing.
    """
    if not plus and region is None:
        return _without_region(digits)
    try:
        # With a plus the region is left out: the library would quietly read "+0..." as a national number of it.
        number = phonenumbers.parse("+" + digits, None) if plus else phonenumbers.parse(digits, region)
    except NumberParseException as error:
        return Reading(Validity.INVALID, _PARSE_REASONS[error.error_type])
    return _classify(number)


def calling_code(region: str) -> str:
    """Return the calling code of a known region as digits."""
    return str(phonenumbers.country_code_for_region(region))


@cache
def trunk_prefix(region: str) -> str:
    """Return what is dialled before a national number of a known region ("0", "8", "1"), or the empty string."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return (metadata.national_prefix or "") if metadata else ""


@cache
def _exit_pattern(region: str) -> re.Pattern[str]:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return re.compile((metadata.international_prefix if metadata else None) or r"(?!)")


def exit_prefix(digits: str, region: str) -> str:
    """Return what the digits start with to call abroad from a known region ("00", "0011"), or the empty string."""
    match = _exit_pattern(region).match(digits)
    return match[0] if match else ""


def is_calling_code(digits: str) -> bool:
    """Return whether the digits are a calling code and nothing else."""
    return digits in _CALLING_CODES


def parse_uri(uri: str, region: str | None) -> str | None:
    """Return the E.164 form of a `tel:` URI with a phone-context (RFC 3966), or None when it holds no number."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(uri, region), phonenumbers.PhoneNumberFormat.E164)
    except NumberParseException:
        return None


def _without_region(digits: str) -> Reading:
    if len(digits) < MIN_NATIONAL_DIGITS:
        return Reading(Validity.INVALID, ReasonCode.TOO_SHORT)
    if len(digits) > MAX_NATIONAL_DIGITS:
        return Reading(Validity.INVALID, ReasonCode.TOO_LONG)
    return Reading(Validity.UNKNOWN, ReasonCode.NO_REGION)


def _classify(number: phonenumbers.PhoneNumber) -> Reading:
    code = number.country_code or 0
    e164 = f"+{code}{phonenumbers.national_significant_number(number)}"
    if len(e164) > MAX_E164_DIGITS + 1:
        return Reading(Validity.INVALID, ReasonCode.TOO_LONG)
    # A number is valid exactly when it has a type: asking once saves the scan that is_valid_number repeats.
    kind = phonenumbers.number_type(number)
    if kind in _LINE_TYPES:
        line_type = LineType.SATELLITE if code in _SATELLITE_CODES else _LINE_TYPES[kind]
        return Reading(Validity.VALID, ReasonCode.ALLOCATED, e164, _region(number, code), line_type)
    length = phonenumbers.is_possible_number_with_reason(number)
    if length == ValidationResult.IS_POSSIBLE:
        if not _reads_as_itself(e164):
            return Reading(Validity.INVALID, ReasonCode.UNALLOCATED)
        return Reading(Validity.POSSIBLE, ReasonCode.UNALLOCATED, e164, _region(number, code))
    too_long = length == ValidationResult.TOO_LONG
    return Reading(Validity.INVALID, ReasonCode.TOO_LONG if too_long else ReasonCode.TOO_SHORT)


def _reads_as_itself(e164: str) -> bool:
    """Return whether the form survives being read again: zeros in front of an unallocated number may not."""
    again = phonenumbers.parse(e164, None)
    return e164 == f"+{again.country_code}{phonenumbers.national_significant_number(again)}"


def _region(number: phonenumbers.PhoneNumber, code: int) -> str | None:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    return regions[0] if len(regions) == 1 else phonenumbers.region_code_for_number(number)
