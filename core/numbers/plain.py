"""The short way of most cells: nothing but one number in plain punctuation, and valid as it stands."""

from . import dialling, text
from .table import find
from .values import Number, Validity

_VALID = Validity.VALID
_FIRST = frozenset("0123456789")


def read_plain(raw: str, region: str | None) -> Number | None:
    """Return the number in a cell of digits, spaces, dashes, dots, brackets and at most one plus in front.

    Takes the default region (`known_region`). Returns None where there may be something to repair or to explain:
    anything else in the cell, (0), a spreadsheet's .0, digits that are no valid number.
    """
    digits = raw.replace(" ", "").replace("-", "").replace("(", "").replace(")", "").replace(".", "")
    plus = digits[:1] == "+"
    if plus:
        digits = digits[1:]
    elif region is None:
        return None
    # Brackets and a plus stand directly before a digit; a cell that begins with anything else is read with care.
    at = 0 if raw[:1] in _FIRST else 1
    if not digits.isdigit() or not raw.isascii() or len(raw) > text.MAX_EXAMINED:
        return None
    if raw[at] not in _FIRST or (at and raw[0] not in "+("):
        return None
    if "(0)" in raw or ("." in raw and raw.endswith((".0", ".00"))):
        return None
    form, found, certain = find(None if plus else region, digits)
    reading = found.reading
    if reading.validity is not _VALID:
        return None
    if certain:
        return Number(raw, form, reading.region, reading.line_type, _VALID, reading.reason, None, (), ())
    return _read_uncertain(raw, plus, digits, region)


def _read_uncertain(raw: str, plus: bool, digits: str, region: str | None) -> Number | None:
    reading = dialling.evaluate_plain(plus, digits, region)
    if not reading.valid:
        return None
    repairs = dialling.named_calling_code(plus, digits, region, reading)
    return Number(raw, *reading[2:], *reading[:2], None, repairs, ())
