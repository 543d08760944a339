"""What is known about a range of numbers: the answers of `phonenumbers`, and the reading that they amount to."""

from dataclasses import dataclass

from phonenumbers import PhoneNumberType, ValidationResult

from ..values import LineType, PlanMatch, ReasonCode, Validity

# The longest national numbers that `phonenumbers` takes.
MAX_NATIONAL_DIGITS = 17
# ITU-T E.164: at most 15 digits with the calling code. The plans of some regions allow longer ones.
MAX_E164_DIGITS = 15

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
# ITU-T E.164 list of calling codes: 870 is Inmarsat, 881 the global mobile satellite system.
_SATELLITE_CODES = frozenset((870, 881))


@dataclass(frozen=True, slots=True)
class Range:
    """What `phonenumbers` answers about every number in a range, and the reading that follows, without the number.

    `kind` is a `PhoneNumberType`; `possible`, `valid` and `region` are the answers of `is_possible_number`,
    `is_valid_number` and `region_code_for_number`.
    """

    possible: bool
    valid: bool
    kind: int
    region: str | None
    reading: PlanMatch


def describe(code: int, digits: int, kind: int, length: int, region: str | None) -> Range:
    """Return the range to which these answers of `phonenumbers` belong.

    Takes the calling code, the count of national digits, a `PhoneNumberType`, a `ValidationResult` and the region.
    """
    possible = length in (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)
    reading = _reading(code, digits, kind, length, region)
    # A number is valid exactly when it has a type.
    return Range(possible, kind != PhoneNumberType.UNKNOWN, kind, region, reading)


def _reading(code: int, digits: int, kind: int, length: int, region: str | None) -> PlanMatch:
    if len(str(code)) + digits > MAX_E164_DIGITS:
        return PlanMatch(Validity.INVALID, ReasonCode.TOO_LONG)
    if kind in _LINE_TYPES:
        line_type = LineType.SATELLITE if code in _SATELLITE_CODES else _LINE_TYPES[kind]
        return PlanMatch(Validity.VALID, ReasonCode.ALLOCATED, None, region, line_type)
    if length == ValidationResult.IS_POSSIBLE:
        return PlanMatch(Validity.POSSIBLE, ReasonCode.UNALLOCATED, None, region)
    too_long = length == ValidationResult.TOO_LONG
    return PlanMatch(Validity.INVALID, ReasonCode.TOO_LONG if too_long else ReasonCode.TOO_SHORT)
