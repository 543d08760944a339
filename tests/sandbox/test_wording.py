"""Numbers and lists in sentences about the services."""

from __future__ import annotations

import pytest

from ringfence.sandbox.wording import count_of, listed


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "no ports"), (1, "one port"), (3, "three ports"), (9, "nine ports"), (10, "10 ports")]
)
def test_a_small_number_is_a_word(number: int, expected: str) -> None:
    assert count_of(number, "port") == expected


@pytest.mark.parametrize(
    ("names", "expected"), [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")]
)
def test_a_list_ends_with_and(names: list[str], expected: str) -> None:
    assert listed(names) == expected
