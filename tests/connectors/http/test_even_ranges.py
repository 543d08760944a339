"""Dividing ids that lie in any way into ranges of about as many records each."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.connectors.http.even_ranges import Stretch, bounds_among, find_bounds

FAR = 62**12  # as far as the ids of two parts of an org lie apart


class Counted:
    """A census of known ids that counts its questions."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = sorted(ids)
        self.asked = 0

    @property
    def whole(self) -> Stretch:
        return Stretch(self.ids[0], self.ids[-1], len(self.ids))

    def cut(self, stretch: Stretch, at: int) -> list[Stretch]:
        self.asked += 1
        low, middle, high = (bisect_left(self.ids, each) for each in (stretch.first, at, stretch.last + 1))
        halves = [self.ids[low:middle], self.ids[middle:high]]
        return [Stretch(half[0], half[-1], len(half)) for half in halves if half]

    def sizes(self, bounds: list[int]) -> list[int]:
        places = [0, *(bisect_left(self.ids, each) for each in bounds), len(self.ids)]
        return [high - low for low, high in pairwise(places)]


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(list(range(1000)), id="dense"),
        pytest.param([FAR + n for n in range(500)] + [3 * FAR + n for n in range(500)], id="two clusters"),
        pytest.param([5] + [FAR * 9 + n for n in range(999)], id="one alone and far away"),
        pytest.param([n**4 for n in range(1000)], id="ever scarcer"),
        pytest.param([n * FAR + k for n in range(10) for k in range(100)], id="many clusters"),
    ],
)
def test_ranges_are_about_even_at_few_questions(ids: list[int]) -> None:
    census = Counted(ids)

    bounds = find_bounds(census.whole, census, 4)

    assert len(bounds) == 3
    assert max(census.sizes(bounds)) < 1.25 * 1000 / 4
    assert census.asked <= 12


def test_dense_ids_take_one_question_for_each_bound() -> None:
    census = Counted(list(range(100_000)))

    find_bounds(census.whole, census, 8)

    assert census.asked == 7


@given(st.sets(st.integers(1, 10**12), min_size=1, max_size=40), st.integers(1, 12))
def test_bounds_rise_and_leave_no_range_empty(ids: set[int], parts: int) -> None:
    census = Counted(list(ids))

    for bounds in (find_bounds(census.whole, census, parts), bounds_among(census.ids, parts)):
        assert len(bounds) < parts
        assert all(census.sizes(bounds))
        assert bounds == sorted(set(bounds))


def test_known_ids_are_divided_exactly() -> None:
    assert bounds_among([1, 5, 9, 100], 2) == [9]
    assert bounds_among([], 4) == []
