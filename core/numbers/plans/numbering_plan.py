"""The numbering plans: what they say about digits, and the prefixes of each region.

Once a text is cleaned, what the plans say depends on three things only: whether there is a plus, the digits, and the
default region. `evaluate` takes exactly these. `phonenumbers` is the reference; `table` gives the same answers faster.
"""

import re
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata

from ..values import PlanMatch, ReasonCode, Validity
from .ranges import MAX_NATIONAL_DIGITS
from .table import find

# The shortest national numbers have 4 digits (Niue).
MIN_NATIONAL_DIGITS = 4

# The region of a calling code that belongs to no country (UN M.49: the world).
NO_COUNTRY = "001"
# Every region that has a numbering plan.
REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)

_CALLING_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
NO_REGION = PlanMatch(Validity.UNKNOWN, ReasonCode.NO_REGION)
"""The reading of a national number of which no country is known."""
_UNALLOCATED = PlanMatch(Validity.INVALID, ReasonCode.UNALLOCATED)


def metadata_version() -> str:
    """Return the version of the numbering plans; a verdict made with another one may have changed."""
    return str(phonenumbers.__version__)


def known_region(region: str | None) -> str | None:
    """Return the region in upper case, or None when no numbering plan is known for it."""
    if region is None:
        return None
    upper = region.upper()
    return upper if upper in REGIONS else None


def evaluate(plus: bool, digits: str, region: str | None) -> PlanMatch:
    """Return what the numbering plan says.

    Takes whether a plus stands in front, the digits (ASCII digits only), and the default region that reads digits
    without a plus, as `known_region` returns it. Raises nothing.
    """
    if not plus and region is None:
        return _without_region(digits)

    form, found, _ = find(None if plus else region, digits)
    reading = found.reading
    if reading.validity is Validity.INVALID:
        return reading
    if reading.validity is Validity.POSSIBLE and find(None, form[1:])[0] != form:
        # Read again, its E.164 form would be another number: leading zeros of an unallocated one may get lost.
        return _UNALLOCATED
    return PlanMatch(reading.validity, reading.reason, form, reading.region, reading.line_type)


@cache
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


def leading_calling_code(digits: str) -> str:
    """Return the calling code that digits in international form begin with, or the empty string."""
    return next((digits[:length] for length in (1, 2, 3) if digits[:length] in _CALLING_CODES), "")


def parse_uri(uri: str, region: str | None) -> str | None:
    """Return the E.164 form of a `tel:` URI with a phone-context (RFC 3966), or None when it holds no number."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(uri, region), phonenumbers.PhoneNumberFormat.E164)
    except NumberParseException:
        return None


def _without_region(digits: str) -> PlanMatch:
    if len(digits) < MIN_NATIONAL_DIGITS:
        return PlanMatch(Validity.INVALID, ReasonCode.TOO_SHORT)
    if len(digits) > MAX_NATIONAL_DIGITS:
        return PlanMatch(Validity.INVALID, ReasonCode.TOO_LONG)
    return NO_REGION
