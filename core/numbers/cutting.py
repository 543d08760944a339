"""One number or several? Cuts a run of digit groups at the signs that may stand between numbers or inside one."""

from collections.abc import Iterator
from itertools import pairwise

from . import repairs
from .cell import Span
from .dialling import AMBIGUOUS, digits_of, read_digits
from .plans import numbering_plan as plan
from .plans.ranges import MAX_NATIONAL_DIGITS
from .prefixes import Choice
from .values import PlanMatch

# The ways to cut double with each group; no number is written in more groups than these.
MAX_CUT = 5
# A tail this short after a slash is a shortened second number (1234/35) or the end of the first.
_SHORT_TAIL = 3
# Two whole numbers with nothing but a space between have this many digits together.
_TWO_NUMBERS = range(14, 2 * MAX_NATIONAL_DIGITS + 1)


def cut(run: list[Span], region: str | None) -> list[Choice]:
    """Return the numbers of a run: the first one, valid or not, then the further ones that are certain."""
    if len(run) == 1:
        return _cut_at_spaces(run[0].text, region)

    run = run[:MAX_CUT]
    memo: dict[tuple[int, int], Choice] = {}

    def read(start: int, end: int) -> Choice:
        if (start, end) not in memo:
            memo[start, end] = read_digits(_join(run[start:end]), region)
        return memo[start, end]

    def joins_numbers(start: int, end: int) -> bool:
        """Return whether the group holds a comma right behind a valid number: no number is written so."""
        return any(run[at].comma and read(start, at).reading.valid for at in range(start + 1, end))

    ways: list[list[Choice]] = []
    for bounds in _partitions(len(run)):
        groups = [read(start, end) for start, end in bounds]
        texts = [_join(run[start:end]) for start, end in bounds]
        are_numbers = all(choice.reading.valid for choice in groups) and _all_full(groups, texts, region)
        if are_numbers and not any(joins_numbers(start, end) for start, end in bounds):
            ways.append(groups)

    if ways:
        first_forms = {way[0].reading.e164 for way in ways}
        # 1234/10/0 parts one number; 1234/35/36 are three, the last digits of the second and the third.
        tails = {len(span.digits) for span in run[1:]}
        shortened = len(ways[0]) == 1 and len(tails) == 1 and max(tails) <= _SHORT_TAIL
        shortened = shortened and read(0, len(run) - 1).reading.valid
        return [Choice(AMBIGUOUS)] if len(first_forms) > 1 or shortened else max(ways, key=len)
    return _first_with_rest(run, region, [read(0, end) for end in range(1, len(run) + 1)])


def _first_with_rest(run: list[Span], region: str | None, starts: list[Choice]) -> list[Choice]:
    """Return the longest beginning of the run that is a number, and the further numbers written in full after it."""
    for end in range(len(starts) - 1, 0, -1):
        first = starts[end - 1]
        if not first.reading.valid:
            continue

        further: list[Choice] = []
        for span in run[end:]:
            choice = read_digits(span.text, region)
            if choice.reading.valid and is_full(choice.reading, span.text, first.reading, region):
                further.append(choice)
        tail = () if len(further) == len(run[end:]) else (repairs.TAIL,)
        return [Choice(first.reading, (*first.repairs, *tail)), *further]
    return [starts[-1]]


def is_full(reading: PlanMatch, text: str, first: PlanMatch, region: str | None) -> bool:
    """Return whether a further valid number is written in full.

    Where national numbers have a trunk zero and many lengths, a few digits after the first number may be read as a
    number of their own, or be the last digits of the first one typed anew.
    """
    if reading.region is None or region is None or plan.trunk_prefix(region) != "0":
        return True
    if "+" in text or digits_of(text).startswith("0"):
        return True
    return len(reading.e164 or "") >= len(first.e164 or "")


def _all_full(groups: list[Choice], texts: list[str], region: str | None) -> bool:
    first = groups[0].reading
    further = zip(groups[1:], texts[1:], strict=True)
    return all(is_full(choice.reading, text, first, region) for choice, text in further)


def _partitions(count: int) -> Iterator[list[tuple[int, int]]]:
    """Yield every way to cut so many spans, as the (start, end) of each group; the whole run comes first."""
    for bits in range(2 ** (count - 1)):
        edges = [0, *(at for at in range(1, count) if bits >> (at - 1) & 1), count]
        yield list(pairwise(edges))


def _join(spans: list[Span]) -> str:
    return " ".join(span.text for span in spans)


def _cut_at_spaces(text: str, region: str | None) -> list[Choice]:
    """Return the two numbers of a span where it is none as a whole and exactly one space cuts it into two."""
    whole = read_digits(text, region)
    if whole.reading.valid or len(digits_of(text)) not in _TWO_NUMBERS or region is None:
        return [whole]

    found: list[list[Choice]] = []
    for at, character in enumerate(text):
        if character == " " and digits_of(text[:at]):
            first, second = read_digits(text[:at], region), read_digits(text[at:], region)
            if first.reading.valid and second.reading.valid:
                found.append([first, second] if is_full(second.reading, text[at:], first.reading, region) else [])
    return found[0] if len(found) == 1 and found[0] else [whole]
