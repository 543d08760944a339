"""What may be shown of a number in a sentence, and what in a sentence is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.numbers import mask, mask_numbers, mask_text

SPELLINGS = st.sampled_from(["{}{}{}", "({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "{} {} {}", "1 {} {} {}", "+1 ({}) {}-{}"])
groups = st.tuples(st.integers(200, 999), st.integers(200, 999), st.integers(1000, 9999))


@given(SPELLINGS, groups, st.sampled_from(["", " x12", " ext. 345"]))
def test_of_a_number_in_any_spelling_two_digits_and_the_calling_code_are_readable(
    spelling: str, parts: tuple[int, int, int], extension: str
) -> None:
    number = spelling.format(*parts) + extension

    for shown in (mask(number), mask_text(number), mask_numbers(f"the row of {number} is frozen")):
        readable = re.sub(r"\D", "", shown.replace("+1", "", 1))
        assert len(readable) <= 2
        assert re.sub(r"\D", "", number).endswith(readable)


@given(st.integers(10**6, 10**15 - 1))
def test_of_a_number_in_e164_three_digits_at_least_are_hidden(number: int) -> None:
    shown = mask(f"+{number}")

    assert len(re.sub(r"\D", "", shown)) <= len(str(number)) - 3
    assert shown.startswith("+")


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("call 1-800-FLOWERS now", "call ***0 now"),
        ("call 1 (800) flowers now", "call ***0 now"),
        ("call 800-FLOWERS now", "call *** now"),
        ("call +14155552671 now", "call +1415***2671 now"),
        ("call (202) 555-0143 x12 now", "call ***12 now"),
        ("caller id 4155552671", "caller id ***71"),
        ("id 415 555 2671", "id ***71"),
        ("on 2026-11-30 4155552671", "on 2026-11-30 ***71"),
    ],
)
def test_a_number_in_a_sentence_is_masked(sentence: str, shown: str) -> None:
    assert mask_numbers(sentence) == shown


@pytest.mark.parametrize(
    "sentence",
    [
        "since 2026-11-30",
        "since 2026-11-30T03:51:14.000+0000, and 2026-11-30 03:51:14Z",
        "since 30.11.2026, 11/30/2026 and 30/11/2026 10:15",
        "record 0035i00000ABCdEAAW of 7505e00000ABCDEAAQ",
        "contact id 12345678901 is gone, ids: 9876543210",
        '{"id":"12345678901"}',
        "run 20261130-090000-aa11bb22",
        "correlation 0bb7c8a2-1234-4abc-8def-446655440000",
        "800 records were read, 1,234,567 are due",
        "HTTP 503 SERVICE UNAVAILABLE at 127.0.0.1:8461",
    ],
)
def test_dates_ids_and_counts_stay_readable(sentence: str) -> None:
    assert mask_numbers(sentence) == sentence


@pytest.mark.parametrize("content", ["2026-11-30", "2026-11-30T09:00:00Z", "20261130-090000-aa11", "30.11.2026"])
def test_a_field_that_holds_a_date_or_an_id_is_shown(content: str) -> None:
    assert mask_text(content) == content
