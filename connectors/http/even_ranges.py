"""Dividing ids, as numbers, into ranges that hold about as many records each, at few questions to the CRM.

Ids need not be dense, nor spread evenly: where records came from several places there are clusters far apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

TOLERANCE = 0.1
"""How far from its even place a bound may lie, as a share of a range: each question takes a call or two."""

MOST_CUTS = 8
"""Questions for one bound, after which the nearest one that was found serves. Uneven ranges lose nothing but time."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ids of which the first and the last are known to exist, and how many there are, the ends included."""

    first: int
    last: int
    count: int


class Census(Protocol):
    """Answers about the ids of one object."""

    def cut(self, stretch: Stretch, at: int) -> Sequence[Stretch]:
        """Return the stretch of the ids below a number, and that of the rest; one that is empty is left out."""
        ...


def most_parts(count: int, parts: int, least: int) -> int:
    """Return how many of the parts so many records are worth, with about ``least`` in each; at least one."""
    return max(1, min(parts, count // least))


def bounds_among(ids: Sequence[int], parts: int) -> list[int]:
    """Return the ids, out of all of them in their order, with which the ranges after the first one begin."""
    count = max(1, min(parts, len(ids)))
    return [ids[len(ids) * number // count] for number in range(1, count)]


def find_bounds(whole: Stretch, census: Census, parts: int) -> list[int]:
    """Return up to ``parts - 1`` ids, rising, with which the ranges after the first one begin."""
    parts = min(parts, whole.count)
    stretches, slack = [whole], TOLERANCE * whole.count / max(1, parts)
    bounds: list[int] = []

    for number in range(1, parts):
        goal = whole.count * number / parts
        for tries in range(MOST_CUTS):
            below, chosen = _around(stretches, goal, slack)
            if chosen is None or chosen.first == chosen.last:
                break
            at = stretches.index(chosen)
            stretches[at : at + 1] = census.cut(chosen, _place(chosen, goal - below, halve=tries % 2 == 1))
        bounds.append(_nearest(stretches, goal))
    return [bound for before, bound in pairwise([whole.first, *bounds]) if bound > before]


def _starts(stretches: Sequence[Stretch]) -> Iterator[tuple[int, Stretch]]:
    """Yield each stretch with the number of records in front of it."""
    return zip(accumulate((each.count for each in stretches), initial=0), stretches, strict=False)


def _around(stretches: Sequence[Stretch], goal: float, slack: float) -> tuple[int, Stretch | None]:
    """Return the stretch in which a bound has to be found and what lies in front; None where one is near enough."""
    for below, stretch in _starts(stretches):
        if abs(below - goal) <= slack:
            return below, None
        if below < goal < below + stretch.count - slack:
            return below, stretch
    return 0, None


def _place(stretch: Stretch, wanted: float, *, halve: bool) -> int:
    """Return where to cut: as if the ids lay evenly, or in the middle, which helps where they do not."""
    width = stretch.last - stretch.first
    step = width // 2 if halve else int(width * wanted / stretch.count)
    return stretch.first + max(1, min(width, step))


def _nearest(stretches: Sequence[Stretch], goal: float) -> int:
    return min(_starts(stretches), key=lambda each: abs(each[0] - goal))[1].first
