"""Reads the prefixes of one number: +, 00, 011, (0), a calling code without +.

Every repair here is another way to read the same digits. It counts only when the plain reading is not valid and
exactly one other reading is.
"""

import re
from typing import NamedTuple

from . import repairs
from .plans import numbering_plan as plan
from .values import PlanMatch, ReasonCode, Validity

# What is dialled to call abroad nearly everywhere, and in North America.
_EXIT_PREFIXES = ("00", "011")
_NO_DIGITS = bytes(code for code in range(128) if not 0x30 <= code <= 0x39)
_PLUS = re.compile(r"[(\[ ]*\+")
_BRACKETED_ZERO = re.compile(r"[(\[] ?0 ?[)\]]")

AMBIGUOUS = PlanMatch(Validity.UNKNOWN, ReasonCode.AMBIGUOUS)


class Choice(NamedTuple):
    """The reading that was chosen, and the repairs that led to it."""

    reading: PlanMatch
    repairs: tuple[str, ...] = ()


def digits_of(text: str) -> str:
    """Return the ASCII digits of a cleaned text."""
    return text.encode("ascii", "ignore").translate(None, _NO_DIGITS).decode("ascii")


def read_digits(text: str, region: str | None) -> Choice:
    """Return how one number is read.

    Takes one number as typed (cleaned; nothing but digits, plus and punctuation) and the default region. Returns the
    plain reading where that is valid, else the only valid reading that a repair of its prefix gives, else the plain
    reading with the reason why it is not valid.
    """
    plus = "+" in text and _PLUS.match(text) is not None
    zero = _BRACKETED_ZERO.search(text) if "(" in text or "[" in text else None
    head = _calling_code(digits_of(text[: zero.start()]), region) if zero else None
    if zero and head:
        choice = _read_bracketed_zero(head[1], digits_of(text[zero.end() :]))
        foreign = head[0] in _EXIT_PREFIXES and not plus and head[0] != plan.exit_prefix(head[0], region or "")
        return Choice(choice.reading, (repairs.exit_prefix(head[0]), *choice.repairs)) if foreign else choice

    choice = read_prefix(plus, digits_of(text), region)
    if plus and text.count("+") > 1 and choice.reading.at_least_possible:
        return Choice(choice.reading, (repairs.DOUBLE_PLUS, *choice.repairs))
    return choice


def read_prefix(plus: bool, digits: str, region: str | None) -> Choice:
    """Return the plain reading where it is valid, else the only valid reading of another prefix, else the plain one."""
    plain = evaluate_plain(plus, digits, region)
    if plain.valid or plain.reason is ReasonCode.AMBIGUOUS:
        return Choice(plain, named_calling_code(plus, digits, region, plain))
    other = _other_prefix(plus, digits, region, plain)
    if other and (other.reading.valid or (other.reading.at_least_possible and not plain.at_least_possible)):
        return other
    return Choice(plain)


def evaluate_plain(plus: bool, digits: str, region: str | None) -> PlanMatch:
    """Return the reading without any repair, or `ambiguous`.

    "4930..." in Germany is area code 4930 without its trunk zero as well as +49 30: where the trunk prefix is missing
    and both are allocated, nobody can tell.
    """
    plain = plan.evaluate(plus, digits, region)
    if plus or region is None or not plain.valid or not digits.startswith(plan.calling_code(region)):
        return plain
    if plain.e164 == "+" + digits or digits.startswith(plan.trunk_prefix(region) or digits):
        return plain
    return AMBIGUOUS if plan.trunk_prefix(region) and plan.evaluate(True, digits, None).valid else plain


def named_calling_code(plus: bool, digits: str, region: str | None, plain: PlanMatch) -> tuple[str, ...]:
    """Return the repair to name when the digits began with the calling code of the region and no plus."""
    if plus or plain.e164 != "+" + digits or (region and digits.startswith(plan.trunk_prefix(region) or "+")):
        return ()
    return (repairs.CALLING_CODE,)


def _other_prefix(plus: bool, digits: str, region: str | None, plain: PlanMatch) -> Choice | None:
    """Return the one other way to read the beginning of the digits, or None."""
    prefix = next((prefix for prefix in _EXIT_PREFIXES if digits.startswith(prefix)), None)
    if prefix and (plus or region is not None or prefix == "00"):
        # Without a region 011 may as well be an area code (Johannesburg, Turin).
        repair = repairs.doubled_exit_prefix(prefix) if plus else repairs.exit_prefix(prefix)
        return Choice(plan.evaluate(True, digits[len(prefix) :], None), (repair,))

    if plus and region and digits.startswith("0"):
        return Choice(plan.evaluate(False, digits, region), (repairs.NATIONAL_ZERO,))

    if plus or region is None or prefix or plain.at_least_possible or plan.exit_prefix(digits, region):
        # Only where the region has no number of this length: a range that was opened lately stays `unallocated`.
        return None
    abroad = plan.evaluate(True, digits, None)
    if not abroad.valid or abroad.region == plan.NO_COUNTRY or _has_extra_digits(digits, region):
        return None
    return Choice(abroad, (repairs.CALLING_CODE,))


def _has_extra_digits(digits: str, region: str) -> bool:
    """Return whether a national number with up to three digits too many explains the digits as well."""
    return any(plan.evaluate(False, digits[:-extra], region).valid for extra in (1, 2, 3))


def _calling_code(head: str, region: str | None) -> tuple[str, str] | None:
    """Return the prefix to call abroad, if any, and the calling code that is all of the rest; else None."""
    prefixes = ("", *_EXIT_PREFIXES, plan.exit_prefix(head, region) if region else "")
    splits = ((prefix, head[len(prefix) :]) for prefix in prefixes if head.startswith(prefix))
    return next((split for split in splits if plan.is_calling_code(split[1])), None)


def _read_bracketed_zero(code: str, tail: str) -> Choice:
    """Return how +44 (0)20 is read: the zero is dialled at home only; in Italy it belongs to the number."""
    without, kept = plan.evaluate(True, code + tail, None), plan.evaluate(True, code + "0" + tail, None)
    if not without.valid:
        return Choice(kept)
    if kept.valid and kept.e164 != without.e164:
        trunk = plan.trunk_prefix(without.region) if without.region in plan.REGIONS else ""
        if trunk != "0":
            return Choice(AMBIGUOUS)
    return Choice(without, (repairs.BRACKETED_ZERO,))
