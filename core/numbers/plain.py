"""The fast path of most cells: nothing but one number in plain punctuation, and valid as it stands."""

from . import dialling, text
from .covers import covers_of
from .placeholders import TELLING, is_one_digit
from .plans.table import find
from .prefixes import Typed, first_group
from .values import Number, Validity

# Looked up for every cell: a global of this module is found faster than an attribute of another.
_MAX_EXAMINED, _VALID, _make = text.MAX_EXAMINED, Validity.VALID, tuple.__new__
_TELLING, _DIGITS = TELLING, "0123456789"
# The keys of its numbers need a closer look (see `covers`).
_ARGENTINA = "AR"


def read_plain(raw: str, region: str | None) -> Number | None:
    """Return the number in a cell of digits, spaces, dashes, dots, brackets and at most one plus in front.

    `region` is the default region, as `known_region` returns it. Returns None for every cell that needs a closer look:
    with anything else in it, a (0), a spreadsheet's .0, or digits that are no valid number.
    """
    digits = raw.replace(" ", "").replace("-", "").replace("(", "").replace(")", "").replace(".", "")
    plus = raw[:1] == "+"
    if plus:
        digits = digits[1:]

    if not digits.isdigit() or not raw.isascii() or (region is None and not plus) or len(raw) > _MAX_EXAMINED:
        return None
    first = raw[0]
    if first not in _DIGITS and (first not in "+(" or raw[1] not in _DIGITS):
        return None
    if (plus and raw[1] == "8" and raw[2:3] not in _DIGITS) or digits[:4] == "0011":
        return None
    if "(0)" in raw or ("." in raw and raw.endswith((".0", ".00"))):
        return None

    form, found, certain = find(None if plus else region, digits)
    validity, reason, _, home, line_type = found.reading
    if validity is not _VALID:
        return None
    if certain and home != _ARGENTINA and digits[-4:] not in _TELLING:
        # The same as `Number(...)` in half the time, which every valid cell saves.
        return _make(Number, (raw, form, home, line_type, validity, reason, None, (), (), (form,)))
    return _read_uncertain(raw, plus, digits, region)


def _read_uncertain(raw: str, plus: bool, digits: str, region: str | None) -> Number | None:
    typed = Typed(plus, digits, first_group(raw))
    reading = dialling.evaluate_plain(typed, region)
    if not reading.valid or reading.e164 is None or is_one_digit(reading.e164):
        return None
    repairs = dialling.named_calling_code(typed, region, reading)
    return Number(raw, *reading[2:], *reading[:2], None, repairs, (), covers_of((reading.e164,)))
