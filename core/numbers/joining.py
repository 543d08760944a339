"""Joins a number with its calling code or area code, where a table has these in columns of their own."""

from . import text
from .dialling import digits_of
from .plans import numbering_plan as plan
from .reader import read_number

_SIGNS = frozenset("0123456789 +-./()")
_EXIT_PREFIXES = ("00", "011")


def join_codes(number: str, *, calling: str = "", area: str = "", region: str | None = None) -> str | None:
    """Return a number with the codes that belong in front of it, as a text for `read_number`; None where they conflict.

    Takes the number, calling code and area code as typed, each code empty where there is none, and the region that
    reads national numbers. A number that has a code already keeps it once. A code that cannot be read, a calling code
    that no country has, or another one than the number's own, gives None: what is left would be somebody else's number.
    """
    number, calling, area = (text.clean(part)[0] for part in (number, calling, area))
    if not number or not (calling or area):
        return number
    code = _calling_code(calling)
    if not _SIGNS.issuperset(calling + area) or code is None:
        return None
    if number.startswith(("+", "00")):
        return number if digits_of(number).removeprefix("00").startswith(code) else None

    area = digits_of(area)
    if area and not _has_area(number, area, code, region):
        number = f"{area} {number}"
    if code:
        return f"+{code} {number}"
    trunk = plan.trunk_prefix(region) if region in plan.REGIONS and region else ""
    # A table that holds area codes as figures has lost their zero.
    return trunk + number if trunk == "0" and area and not digits_of(number).startswith(trunk) else number


def _calling_code(calling: str) -> str | None:
    """Return the digits of a calling code, empty for none; None for digits that are no country's."""
    digits = digits_of(calling)
    for prefix in _EXIT_PREFIXES:
        digits = digits.removeprefix(prefix)
    return digits if not calling or plan.is_calling_code(digits) else None


def _has_area(number: str, area: str, code: str, region: str | None) -> bool:
    """Return whether the number begins with its area code already, and is whole without another one."""
    if not digits_of(number).lstrip("0").startswith(area.lstrip("0")):
        return False
    return read_number(f"+{code} {number}" if code else number, region).e164 is not None
