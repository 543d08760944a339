"""The head of the digits: the calling code they lead to, and how the national number begins.

The steps are those of `phonenumbers.parse` for a text of digits with or without a plus, applied to numbers of which
only the first digits are known. Where these do not decide, `UndecidedError` calls for one more digit.
"""

from __future__ import annotations

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, ValidationResult

from .metadata import main_plan, possible_length, region_plan
from .partial import Digits
from .ranges import MAX_NATIONAL_DIGITS

_MIN_NATIONAL_DIGITS = 2
_MAX_CALLING_CODE_DIGITS = 3
# With fewer the text is no number for the library, but for two digits without a plus.
_MIN_DIGITS = 3
_NO_STRIPPING = (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY, ValidationResult.INVALID_LENGTH)


class UnreadableError(Exception):
    """The library refuses the digits; `error_type` is one of `NumberParseException`."""

    def __init__(self, error_type: int) -> None:
        super().__init__(error_type)
        self.error_type = error_type


def read_head(digits: Digits, region: str | None) -> tuple[int, Digits]:
    """Return the calling code and the national number that `phonenumbers.parse` makes of the digits.

    Takes the region that reads them, or None for digits after a plus. Raises UnreadableError and UndecidedError.
    """
    if len(digits) < _MIN_DIGITS and not (region and len(digits) == _MIN_NATIONAL_DIGITS):
        raise UnreadableError(NumberParseException.NOT_A_NUMBER)

    if region is None:
        code, national = _split_calling_code(digits)
        plan = main_plan(code)
    else:
        code, national, plan = _read_national(digits, region_plan(region))
    if len(national) < _MIN_NATIONAL_DIGITS:
        raise UnreadableError(NumberParseException.TOO_SHORT_NSN)

    stripped = _without_trunk_prefix(national, plan)
    if possible_length(plan, len(stripped)) not in _NO_STRIPPING:
        national = stripped
    if len(national) > MAX_NATIONAL_DIGITS:
        raise UnreadableError(NumberParseException.TOO_LONG)
    return code, national


def _read_national(digits: Digits, plan: PhoneMetadata) -> tuple[int, Digits, PhoneMetadata]:
    """Return calling code, national number and the plan that reads it, for digits without a plus.

    What follows an exit prefix or the region's own calling code is read by the main plan of that code, anything else by
    the region's own plan.
    """
    exit_prefix = digits.match(plan.international_prefix) if plan.international_prefix else None
    if exit_prefix:
        abroad = digits.without(exit_prefix.end())
        if not abroad.starts_with("0"):
            code, national = _split_calling_code(abroad)
            return code, national, main_plan(code)

    own = plan.country_code or 0
    if digits.starts_with(str(own)):
        shorter = _without_trunk_prefix(digits.without(len(str(own))), plan)
        too_long = possible_length(plan, len(digits)) == ValidationResult.TOO_LONG
        if too_long or (not digits.fit(plan) and shorter.fit(plan)):
            return own, shorter, main_plan(own)
    return own, digits, plan


def _split_calling_code(digits: Digits) -> tuple[int, Digits]:
    if len(digits) <= _MIN_NATIONAL_DIGITS:
        raise UnreadableError(NumberParseException.TOO_SHORT_AFTER_IDD)
    for count in range(1, _MAX_CALLING_CODE_DIGITS + 1):
        rest = digits.without(count)
        head = digits.known[:count]
        if head.startswith("0"):
            break
        if int(head) in COUNTRY_CODE_TO_REGION_CODE:
            return int(head), rest
    raise UnreadableError(NumberParseException.INVALID_COUNTRY_CODE)


def _without_trunk_prefix(digits: Digits, plan: PhoneMetadata) -> Digits:
    """Return the digits without the plan's trunk prefix, where they have one and are a number without it."""
    prefix = plan.national_prefix_for_parsing
    match = digits.match(prefix) if prefix and len(digits) else None
    if match is None:
        return digits

    fits = digits.fit(plan)
    rule = plan.national_prefix_transform_rule
    groups = match.groups()
    if rule and groups and groups[-1] is not None:
        stripped = digits.rewrite(match, rule)
    else:
        stripped = digits.without(match.end())
    return digits if fits and not stripped.fit(plan) else stripped
