"""Reads one number as typed: +, 00, 011, (0), a calling code without +.

A repair is another way to read the same digits (`prefixes`). It counts only when the plain reading is not valid and
exactly one other reading is.
"""

import re
from collections.abc import Iterator

from . import repairs
from .plans import numbering_plan as plan
from .prefixes import (
    AUSTRALIAN_EXIT,
    EXIT_PREFIXES,
    Choice,
    Typed,
    find_former,
    find_others,
    find_uncertain,
    first_group,
)
from .values import PlanMatch, ReasonCode, Validity

_NO_DIGITS = bytes(code for code in range(128) if not 0x30 <= code <= 0x39)
_PLUS = re.compile(r"[(\[ ]*\+")
_BRACKETED_ZERO = re.compile(r"[(\[] ?0 ?[)\]]")
_SHAPE_OF_NORTH_AMERICA = re.compile(r"\D*(\d{3})\D+(\d{3})\D+(\d{4})\D*")

# Where the trunk prefix is 8, people write "+8" as they dial: never Vietnam's +84, cut through the area code.
TRUNK_EIGHT = "8"

# So many digits without any grouping may be a number with its calling code where no country is known.
_INTERNATIONAL = 11

AMBIGUOUS = PlanMatch(Validity.UNKNOWN, ReasonCode.AMBIGUOUS)


def digits_of(text: str) -> str:
    """Return the ASCII digits of a cleaned text."""
    return text.encode("ascii", "ignore").translate(None, _NO_DIGITS).decode("ascii")


def read_digits(text: str, region: str | None) -> Choice:
    """Return how one number is read.

    Takes one number as typed (cleaned; nothing but digits, plus and punctuation) and the default region. Returns the
    plain reading where that is valid, else the only valid reading that a repair of its prefix gives, else the plain
    reading with the reason why it is not valid.
    """
    typed = typed_of(text)
    zero = _BRACKETED_ZERO.search(text) if "(" in text or "[" in text else None
    head = _calling_code(digits_of(text[: zero.start()]), region) if zero else None
    if zero and head:
        choice = _read_bracketed_zero(head[1], digits_of(text[zero.end() :]))
        foreign = head[0] in EXIT_PREFIXES and not typed.plus and head[0] != plan.exit_prefix(head[0], region or "")
        return Choice(choice.reading, (repairs.exit_prefix(head[0]), *choice.repairs)) if foreign else choice

    choice = read_prefix(typed, region)
    if zero and zero.start() == 0 and repairs.OUTSIDE_LINE in choice.repairs:
        return Choice(choice.reading, (repairs.BRACKETED_ZERO,))
    if typed.plus and text.count("+") > 1 and choice.reading.at_least_possible:
        return Choice(choice.reading, (repairs.DOUBLE_PLUS, *choice.repairs))
    return choice


def read_prefix(typed: Typed, region: str | None) -> Choice:
    """Return the plain reading where it is valid, else the only valid reading of another prefix, else the plain one."""
    if typed.plus and typed.head == TRUNK_EIGHT:
        return _read_plus_eight(typed, region)
    plain = evaluate_plain(typed, region)
    if plain.valid or plain.reason is ReasonCode.AMBIGUOUS:
        return Choice(plain, named_calling_code(typed, region, plain))

    others = find_others(typed, region, plain)
    valid = {choice.reading.e164: choice for choice in reversed(others) if choice.reading.valid}
    if valid:
        return next(iter(valid.values())) if len(valid) == 1 else Choice(AMBIGUOUS)
    possible = next((choice for choice in others if choice.reading.at_least_possible), None)
    return possible if possible and not plain.at_least_possible else Choice(plain)


def read_all(text: str, region: str | None) -> list[str]:
    """Return every valid number in E.164 that one number as typed may be, the likeliest first."""
    typed = typed_of(text)
    plain = plan.evaluate(typed.plus, typed.digits, region)
    found = [read_digits(text, region).reading, plain] if _BRACKETED_ZERO.search(text) else [plain]
    found += find_former(typed, region)
    if not plain.valid or typed.digits.startswith(AUSTRALIAN_EXIT):
        found += [other.reading for other in find_others(typed, region, plain)]
    if not plain.valid:
        found += find_uncertain(typed, region, plain)
    if typed.plus and typed.head == TRUNK_EIGHT:
        found.append(plan.evaluate(True, "7" + typed.digits[1:], None))
    if not typed.plus:
        found += _from_abroad(typed, text, region, plain)
    return list(dict.fromkeys(each.e164 for each in found if each.valid and each.e164))


def _from_abroad(typed: Typed, text: str, region: str | None, plain: PlanMatch) -> Iterator[PlanMatch]:
    """Yield what a number without a plus may be when it is not a national number of the region."""
    _, digits, head = typed
    if region is None:
        if head == plan.leading_calling_code(digits) or (head == digits and len(digits) >= _INTERNATIONAL):
            yield plan.evaluate(True, digits, None)
        if digits.startswith("011"):
            yield plan.evaluate(True, digits[3:], None)
    elif plain.valid:
        if digits.startswith(plan.calling_code(region)):
            yield plan.evaluate(True, digits, None)
    elif _SHAPE_OF_NORTH_AMERICA.fullmatch(text):
        yield plan.evaluate(True, "1" + digits, None)


def evaluate_plain(typed: Typed, region: str | None) -> PlanMatch:
    """Return the reading without any repair, or `ambiguous`.

    "4930..." in Germany is area code 4930 without its trunk zero as well as +49 30: where the trunk prefix is missing
    and both are allocated, nobody can tell. Nor can anybody where a calling code would have to be cut out of the middle
    of a group, or where 0011 is the exit prefix of Australia as well as 00 and a 1.
    """
    plus, digits, _ = typed
    plain = plan.evaluate(plus, digits, region)
    if plus or region is None or not plain.valid:
        return plain
    if digits.startswith(AUSTRALIAN_EXIT) and plan.exit_prefix(digits, region) != AUSTRALIAN_EXIT:
        return _evaluate_exit(digits, plain)
    if not digits.startswith(plan.calling_code(region)):
        return plain
    if digits.startswith(plan.trunk_prefix(region) or digits):
        return plain
    if plain.e164 == "+" + digits:
        return plain if typed.parts(plan.calling_code(region)) else AMBIGUOUS
    return AMBIGUOUS if plan.trunk_prefix(region) and plan.evaluate(True, digits, None).valid else plain


def named_calling_code(typed: Typed, region: str | None, plain: PlanMatch) -> tuple[str, ...]:
    """Return the repair to name when the digits began with the calling code of the region and no plus."""
    plus, digits, _ = typed
    if plus or plain.e164 != "+" + digits or (region and digits.startswith(plan.trunk_prefix(region) or "+")):
        return ()
    return (repairs.CALLING_CODE,)


def typed_of(text: str) -> Typed:
    """Return one number, as it stands in a cleaned text, as typed."""
    return Typed("+" in text and _PLUS.match(text) is not None, digits_of(text), first_group(text))


def _evaluate_exit(digits: str, plain: PlanMatch) -> PlanMatch:
    """Return the reading of 0011 outside Australia: 00 and a 1, unless the exit prefix of Australia fits as well."""
    australian = plan.evaluate(True, digits[len(AUSTRALIAN_EXIT) :], None)
    return AMBIGUOUS if australian.valid and australian.e164 != plain.e164 else plain


def _read_plus_eight(typed: Typed, region: str | None) -> Choice:
    """Return how +8 and a space is read: nobody can tell, likely as it is where the trunk prefix is 8."""
    if region and plan.trunk_prefix(region) == TRUNK_EIGHT:
        national = plan.evaluate(False, typed.digits, region)
        return Choice(AMBIGUOUS if national.valid else national)
    abroad = plan.evaluate(True, typed.digits, None)
    russian = plan.evaluate(True, "7" + typed.digits[1:], None)
    return Choice(AMBIGUOUS if abroad.valid or russian.valid else abroad)


def _calling_code(head: str, region: str | None) -> tuple[str, str] | None:
    """Return the prefix to call abroad, if any, and the calling code that is all of the rest; else None."""
    prefixes = ("", *EXIT_PREFIXES, plan.exit_prefix(head, region) if region else "")
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
