"""The number ranges of each calling code: what the digits after it are, by the first of them and by their count.

The rules are those of `number_type`, `is_valid_number`, `is_possible_number` and `region_code_for_number` in
`phonenumbers`, applied to all patterns of a calling code at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc, PhoneNumberType

from .automaton import Automaton, Graph, Node, States
from .metadata import code_plans, possible_length
from .ranges import MAX_NATIONAL_DIGITS, Range, describe

# In the order in which `number_type` tests them; landline and mobile come after these.
_SPECIAL_TYPES = {
    "premium_rate": PhoneNumberType.PREMIUM_RATE,
    "toll_free": PhoneNumberType.TOLL_FREE,
    "shared_cost": PhoneNumberType.SHARED_COST,
    "voip": PhoneNumberType.VOIP,
    "personal_number": PhoneNumberType.PERSONAL_NUMBER,
    "pager": PhoneNumberType.PAGER,
    "uan": PhoneNumberType.UAN,
    "voicemail": PhoneNumberType.VOICEMAIL,
}
_DESCRIPTIONS = ("general_desc", *_SPECIAL_TYPES, "fixed_line", "mobile")

_Test = tuple[str, bool]
"""A pattern, and whether digits may follow it."""


class _CallingCode:
    """The plans of all regions that share a calling code, the main one first."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.regions = COUNTRY_CODE_TO_REGION_CODE[code]
        self.plans = code_plans(code)
        tests = dict.fromkeys(test for plan in self.plans for test in _tests(plan))
        self._ends = {test: end for end, test in enumerate(tests)}
        self._automaton = Automaton(len(tests))
        self._first = {
            test: self._automaton.add(test[0], end, MAX_NATIONAL_DIGITS if test[1] else 0)
            for test, end in self._ends.items()
        }
        self._ranges: dict[Range, Range] = {}

    def graph(self, length: int) -> Node:
        """Return the ranges of numbers with that many digits."""

        def find(matching: States) -> Range:
            found = self._find(matching, length)
            return self._ranges.setdefault(found, found)

        first = (self._first[test] for plan in self.plans for test in _tests(plan, length))
        return Graph(self._automaton, find).root(frozenset().union(*first), length)

    def _find(self, matching: States, length: int) -> Range:
        tests = {test for test, end in self._ends.items() if end in matching}
        region = self._region(tests, length)
        kind = PhoneNumberType.UNKNOWN
        if region is not None:
            kind = _kind(self.plans[self.regions.index(region)], tests, length)
        return describe(self.code, length, kind, possible_length(self.plans[0], length), region)

    def _region(self, tests: set[_Test], length: int) -> str | None:
        """Return the region of numbers that pass these tests, or None.

        Of several regions it is the first whose leading digits fit or, where it has none, that has such a number.
        """
        if len(self.regions) == 1:
            return self.regions[0]
        for region, plan in zip(self.regions, self.plans, strict=True):
            if plan.leading_digits is not None:
                if (plan.leading_digits, True) in tests:
                    return region
            elif _kind(plan, tests, length) != PhoneNumberType.UNKNOWN:
                return region
        return None


def _kind(plan: PhoneMetadata, tests: set[_Test], length: int) -> int:
    """Return the `PhoneNumberType` of numbers of a length that pass these tests, by one region's plan."""

    def fits(name: str) -> bool:
        test = _test(getattr(plan, name), length)
        return test is not None and test in tests

    if not fits("general_desc"):
        return PhoneNumberType.UNKNOWN

    special = next((kind for name, kind in _SPECIAL_TYPES.items() if fits(name)), None)
    if special is not None:
        return special

    same = plan.same_mobile_and_fixed_line_pattern
    if fits("fixed_line"):
        return PhoneNumberType.FIXED_LINE_OR_MOBILE if same or fits("mobile") else PhoneNumberType.FIXED_LINE
    return PhoneNumberType.MOBILE if not same and fits("mobile") else PhoneNumberType.UNKNOWN


def _test(description: PhoneNumberDesc | None, length: int | None) -> _Test | None:
    """Return the pattern that decides about numbers of a length (None: of any length), or None when there is none."""
    if description is None or not description.national_number_pattern:
        return None
    if length is not None and description.possible_length and length not in description.possible_length:
        return None
    return description.national_number_pattern, False


def _tests(plan: PhoneMetadata, length: int | None = None) -> Iterator[_Test]:
    """Yield the tests that a plan makes of numbers of a length (None: of any length)."""
    for name in _DESCRIPTIONS:
        test = _test(getattr(plan, name), length)
        if test is not None:
            yield test
    if plan.leading_digits is not None:
        yield plan.leading_digits, True


_codes = cache(_CallingCode)


@cache
def ranges(code: int, length: int) -> Node:
    """Return the ranges of a calling code for national numbers of that many digits (2 to 17).

    The answer is a `Range`, or a `dict` from the next digit to the same. Raises UnsupportedPatternError.
    """
    return _codes(code).graph(length)


@cache
def general_range(pattern: str, length: int) -> Node:
    """Return whether digits of that length match a general pattern: a bool, or a `dict` from the next digit to one."""
    automaton = Automaton(1)
    return Graph(automaton, lambda matching: 0 in matching).root(automaton.add(pattern, 0), length)
