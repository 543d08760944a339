"""The prefixes of one number: +, 00, 011, (0), a calling code without +.

Every repair here is one more way to read digits that are there. It counts only when the plain reading is not valid
and exactly one other reading is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import plan
from .values import Reading, ReasonCode, Validity

# What is dialled to call abroad nearly everywhere, and in North America.
_EXIT_PREFIXES = ("00", "011")
_BRACKETED_ZERO = re.compile(r"[(\[] ?0 ?[)\]]")

AMBIGUOUS = Reading(Validity.INVALID, ReasonCode.AMBIGUOUS)


@dataclass(frozen=True, slots=True)
class Choice:
    """The reading that was chosen, and how it was reached."""

    reading: Reading
    repairs: tuple[str, ...] = ()


def digits_of(text: str) -> str:
    """Return the ASCII digits of a cleaned text."""
    return re.sub(r"[^0-9]", "", text)


def read_digits(text: str, region: str | None) -> Choice:
    """Return how one number is read.

    Takes one number as typed (cleaned, nothing but digits, plus and punctuation) and the default region. Returns the
    plain reading where that is valid, else the only valid reading that a repair of its prefix gives, else the reason
    why there is none.
    """
    plus = "+" in text.partition(text.lstrip("+([ ")[:1])[0]
    zero = _BRACKETED_ZERO.search(text)
    if zero and digits_of(text[: zero.start()]):
        return _read_bracketed_zero(plus, digits_of(text[: zero.start()]), digits_of(text[zero.end() :]), region)
    choice = read_prefix(plus, digits_of(text), region)
    if plus and text.count("+") > 1 and choice.reading.at_least_possible:
        return Choice(choice.reading, ("read ++ as +", *choice.repairs))
    return choice


def read_prefix(plus: bool, digits: str, region: str | None) -> Choice:
    """Return the plain reading where it is valid, else the only valid reading of another prefix, else the plain one."""
    plain = evaluate_plain(plus, digits, region)
    if plain.valid or plain.reason is ReasonCode.AMBIGUOUS:
        return Choice(plain, named_calling_code(plus, digits, region, plain))
    others = [(reading, repair) for reading, repair in _other_prefixes(plus, digits, region, plain)]
    valid = {reading.e164: Choice(reading, (repair,)) for reading, repair in others if reading.valid}
    if len(valid) > 1:
        return Choice(AMBIGUOUS)
    if valid:
        return next(iter(valid.values()))
    if not plain.at_least_possible:
        for reading, repair in others:
            if reading.at_least_possible:
                return Choice(reading, (repair,))
    return Choice(plain)


def evaluate_plain(plus: bool, digits: str, region: str | None) -> Reading:
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


def named_calling_code(plus: bool, digits: str, region: str | None, plain: Reading) -> tuple[str, ...]:
    """Return the repair to name when the digits began with the calling code of the region and no plus."""
    if plus or plain.e164 != "+" + digits or (region and digits.startswith(plan.trunk_prefix(region) or "+")):
        return ()
    return ("read the first digits as the calling code",)


def _other_prefixes(plus: bool, digits: str, region: str | None, plain: Reading) -> Iterator[tuple[Reading, str]]:
    for prefix in _EXIT_PREFIXES:
        if not digits.startswith(prefix):
            continue
        rest = digits[len(prefix) :]
        if plus:
            yield plan.evaluate(True, rest, None), f"dropped {prefix} after the +"
        elif region is not None or prefix == "00":
            # Without a region 011 may as well be an area code (Johannesburg, Turin).
            yield plan.evaluate(True, rest, None), f"read {prefix} as +"
        return
    if plus and region and digits.startswith("0"):
        yield plan.evaluate(False, digits, region), "read +0 as a national number"
    elif not plus and region and not plain.at_least_possible and not plan.has_exit_prefix(digits, region):
        # Only where the region has no number of this length: a range that was opened lately stays `unallocated`.
        abroad = plan.evaluate(True, digits, None)
        if abroad.region != plan.NO_COUNTRY and not _has_extra_digits(digits, region):
            yield abroad, "read the first digits as the calling code"


def _has_extra_digits(digits: str, region: str) -> bool:
    """Return whether a national number with up to three digits too many explains the digits as well."""
    return any(plan.evaluate(False, digits[:-extra], region).valid for extra in (1, 2, 3))


def _read_bracketed_zero(plus: bool, head: str, tail: str, region: str | None) -> Choice:
    """+44 (0)20: the zero is dialled at home only; where it belongs to the number (Italy) both may be valid."""
    if not plus and region and not plan.has_exit_prefix(head, region):
        # What stands before a bracketed trunk zero is a calling code.
        prefix = next((prefix for prefix in _EXIT_PREFIXES if head.startswith(prefix)), "")
        plus, head = plan.starts_with_calling_code(head[len(prefix) :]), head[len(prefix) :]
    without = read_prefix(plus, head + tail, region)
    kept = read_prefix(plus, head + "0" + tail, region)
    if not without.reading.valid:
        return kept
    if kept.reading.valid and kept.reading.e164 != without.reading.e164:
        number_region = without.reading.region
        if number_region not in plan.REGIONS or plan.trunk_prefix(number_region) != "0":
            return Choice(AMBIGUOUS)
    return Choice(without.reading, ("dropped (0)", *without.repairs))
