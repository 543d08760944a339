"""The other ways to read the beginning of a number whose plain reading is not valid.

Each is another way to read the same digits, and is named as a repair. A calling code without a plus is read only where
the person's own grouping allows it: never out of the middle of a group.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from . import repairs
from .plans import numbering_plan as plan
from .plans.former import find_today
from .values import PlanMatch

# What is dialled to call abroad nearly everywhere, in North America, and in Australia.
EXIT_PREFIXES = ("00", "011")
AUSTRALIAN_EXIT = "0011"
# What is dialled in front to leave a telephone exchange of one's own.
_OUTSIDE_LINES = ("9", "8", "0")
_NORTH_AMERICA = "1"
_GROUP = re.compile(r"\d+")


class Choice(NamedTuple):
    """The reading that was chosen, and the repairs that led to it."""

    reading: PlanMatch
    repairs: tuple[str, ...] = ()


class Typed(NamedTuple):
    """One number as typed: whether a plus stands in front, its digits, and the first group of these."""

    plus: bool
    digits: str
    head: str

    def parts(self, prefix: str) -> bool:
        """Return whether a prefix may end where it does: with the first group, or in digits without any grouping."""
        return self.head in (prefix, self.digits)


def first_group(text: str) -> str:
    """Return the first digits of a cleaned text, up to the sign or the space behind them."""
    match = _GROUP.search(text)
    return match[0] if match else ""


def find_others(typed: Typed, region: str | None, plain: PlanMatch) -> list[Choice]:
    """Return the other readings of a number that is not valid as it stands; of several valid ones none is certain."""
    plus, digits, _ = typed
    exits = list(_without_exit(typed, region))
    if exits:
        return exits
    if plus and region and digits.startswith("0"):
        return [Choice(plan.evaluate(False, digits, region), (repairs.NATIONAL_ZERO,))]

    found = [*_doubled_code(typed, region), *_former(typed, region, certain=True)]
    if not plus and region is not None:
        found += [*_zero_before_code(typed, region), *_without_outside_line(typed, region)]
        found += _calling_code(typed, region, plain)
    return [choice for choice in found if choice.reading.valid]


def find_former(typed: Typed, region: str | None) -> list[PlanMatch]:
    """Return what a number in a form that its plan has given up may be today, also where that is not certain."""
    return [choice.reading for choice in _former(typed, region, certain=False)]


def find_uncertain(typed: Typed, region: str | None, plain: PlanMatch) -> Iterator[PlanMatch]:
    """Yield what digits may be that begin with more than one prefix, where this is plausible and not certain."""
    plus, digits, head = typed
    exits = "" if plus else next((prefix for prefix in EXIT_PREFIXES if digits.startswith(prefix)), "")
    if plus or (exits and region is not None):
        yield from _behind_code(digits[len(exits) :])
    if plus or region is None:
        return

    line, rest = digits[:1], digits[1:]
    if line in _OUTSIDE_LINES and rest.startswith(EXIT_PREFIXES):
        prefix = next(prefix for prefix in EXIT_PREFIXES if rest.startswith(prefix))
        yield plan.evaluate(True, rest[len(prefix) :], None)
    if line == head and line in _OUTSIDE_LINES and rest.startswith(plan.trunk_prefix(region) or rest):
        yield plan.evaluate(False, rest, region)
    if not (plain.at_least_possible or exits) and typed.parts(plan.leading_calling_code(digits)):
        # Also where digits too many behind a national number explain the length as well.
        yield plan.evaluate(True, digits, None)


def _behind_code(digits: str) -> Iterator[PlanMatch]:
    """Yield the number of international digits with an exit prefix and a code, or a trunk zero, behind the code."""
    code = plan.leading_calling_code(digits)
    rest = digits[len(code) :]
    if not code or not rest.startswith("0"):
        return
    yield plan.evaluate(True, code + rest[1:], None)
    for prefix in EXIT_PREFIXES:
        if rest.startswith(prefix):
            yield plan.evaluate(True, rest[len(prefix) :], None)


def _without_exit(typed: Typed, region: str | None) -> Iterator[Choice]:
    """Yield the number behind 00, 011 or 0011, which are dialled to call abroad from somewhere."""
    plus, digits, _ = typed
    prefix = next((prefix for prefix in EXIT_PREFIXES if digits.startswith(prefix)), None)
    # Without a region 011 may as well be an area code (Johannesburg, Turin).
    if prefix is None or not (plus or region is not None or prefix == "00"):
        return
    repair = repairs.doubled_exit_prefix if plus else repairs.exit_prefix
    yield Choice(plan.evaluate(True, digits[len(prefix) :], None), (repair(prefix),))
    if digits.startswith(AUSTRALIAN_EXIT):
        yield Choice(plan.evaluate(True, digits[len(AUSTRALIAN_EXIT) :], None), (repair(AUSTRALIAN_EXIT),))


def _doubled_code(typed: Typed, region: str | None) -> Iterator[Choice]:
    plus, digits, head = typed
    code = plan.leading_calling_code(digits) if plus else plan.calling_code(region) if region else ""
    # Groups that part the two codes from each other or from the rest; ungrouped digits may be anything.
    if code and digits.startswith(code * 2) and (head in (code, code * 2) or (plus and head == digits)):
        yield Choice(plan.evaluate(True, digits[len(code) :], None), (repairs.DOUBLED_CODE,))


def _former(typed: Typed, region: str | None, *, certain: bool) -> Iterator[Choice]:
    """Yield the numbers of today behind a form of yesterday's plan."""
    plus, digits, _ = typed
    code = plan.leading_calling_code(digits) if plus else plan.calling_code(region) if region else ""
    found: list[str] = []
    if not plus and region:
        found += find_today(code, digits, abroad=False, certain=certain)
    if code and digits.startswith(code):
        found += find_today(code, digits[len(code) :], abroad=True, certain=certain)
    yield from (Choice(plan.evaluate(True, today, None), (repairs.FORMER_FORM,)) for today in found)


def _zero_before_code(typed: Typed, region: str) -> Iterator[Choice]:
    """Yield the number behind 0 and the region's own calling code (091-98765...): a zero typed out of habit."""
    code = plan.calling_code(region)
    # 0151... is a code of 1 or an area code: only the grouping tells.
    grouped = typed.head in ("0", "0" + code)
    if typed.digits.startswith("0" + code) and (grouped or (len(code) > 1 and typed.head == typed.digits)):
        yield Choice(plan.evaluate(True, typed.digits[1:], None), (repairs.ZERO_BEFORE_CODE,))


def _without_outside_line(typed: Typed, region: str) -> Iterator[Choice]:
    """Yield the national number behind the digit for an outside line, where it is written in full."""
    _, digits, head = typed
    line, rest = digits[:1], digits[1:]
    trunk = plan.trunk_prefix(region)
    alone = head == line or (trunk == _NORTH_AMERICA and head in (line + trunk, digits) and rest.startswith(trunk))
    full = trunk in ("", _NORTH_AMERICA) or rest.startswith(trunk)
    if line in _OUTSIDE_LINES and alone and full:
        yield Choice(plan.evaluate(False, rest, region), (repairs.OUTSIDE_LINE,))


def _calling_code(typed: Typed, region: str, plain: PlanMatch) -> Iterator[Choice]:
    """Yield the number of another country, its calling code without a plus, where nothing else fits."""
    digits = typed.digits
    if plain.at_least_possible or plan.exit_prefix(digits, region):
        # Only where the region has no number of this length: a range that was opened lately stays `unallocated`.
        return
    if not typed.parts(plan.leading_calling_code(digits)) or _has_extra_digits(digits, region):
        return
    abroad = plan.evaluate(True, digits, None)
    if abroad.region != plan.NO_COUNTRY:
        yield Choice(abroad, (repairs.CALLING_CODE,))


def _has_extra_digits(digits: str, region: str) -> bool:
    """Return whether a national number with up to three digits too many explains the digits as well."""
    return any(plan.evaluate(False, digits[:-extra], region).valid for extra in (1, 2, 3))
