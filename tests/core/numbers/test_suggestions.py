"""Suggestions: one mistake taken back, where that gives one number, and no digit that was not typed."""

from __future__ import annotations

from collections import Counter

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.numbers import Validity, read_number, suggest_number
from ringfence.core.numbers.suggestions import LOOKALIKES

AMERICAN = "+12127365000"


@pytest.mark.parametrize(
    ("typed", "region", "suggested"),
    [
        ("+12127365000", None, None),  # a number
        ("(212) 736-5000", "US", None),  # one too, as people write it
        ("212 736 5OOO", "US", AMERICAN),  # letters for digits
        ("2l2 736 5000", "US", AMERICAN),
        ("2I2 736 5000", "US", AMERICAN),
        ("212 736 500O", "US", AMERICAN),
        ("212 736 SOOO", "US", None),  # as keys of the keypad these are other digits
        ("+4B 22 123 45 67", None, "+48221234567"),
        ("212 736 50000", "US", AMERICAN),  # a key pressed twice
        ("2122 736 5000", "US", None),  # which of two keys was, nobody can tell
        ("+94 30 901820", None, "+4930901820"),  # a calling code turned round
        ("+4949 30 901820", None, "+4930901820"),  # one that stands twice
        ("0049 30 901820", None, "+4930901820"),
        ("++49 30 901820", None, "+4930901820"),
        ("447911123456", "US", "+447911123456"),  # a plus left out
        ("447911123456", None, "+447911123456"),
        ("15012345678", None, None),  # a Chinese number as well as an American one
        ("212 736 5000", None, None),
        ("212 736 500", "US", None),  # a digit too few: which one is missing nobody can tell
        ("+1 212 736 500", None, None),
        ("212 736 50xx", "US", None),
        ("212 736 5000 / 212 736 5001", "US", None),
        ("212 736 5000 ext 12", "US", None),
        ("call the desk", "US", None),
        ("sos", "US", None),
        ("", "US", None),
        ("0" * 400, "US", None),
        ("1111111111", "US", None),
    ],
)
def test_a_likely_correction(typed: str, region: str | None, suggested: str | None) -> None:
    assert suggest_number(typed, region) == suggested


def example_numbers() -> list[str]:
    found = []
    for region in ("AR", "BR", "CN", "DE", "GB", "IN", "IT", "MX", "NZ", "RU", "SG", "US", "ZA"):
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return found


EXAMPLES = st.sampled_from(example_numbers())
REGIONS = st.sampled_from([None, "US", "DE", "GB", "IN", "BR", "IT", "CN"])


@st.composite
def mistyped(draw: st.DrawFn) -> str:
    """Give a number with one mistake in it, or none."""
    number = draw(EXAMPLES)
    place = draw(st.integers(1, len(number) - 1))
    match draw(st.sampled_from(["none", "added", "left out", "turned", "letters", "no plus", "two codes"])):
        case "added":
            return number[:place] + draw(st.sampled_from("0123456789")) + number[place:]
        case "left out":
            return number[:place] + number[place + 1 :]
        case "turned":
            return number[:place] + number[place : place + 2][::-1] + number[place + 2 :]
        case "letters":
            letter = draw(st.sampled_from(sorted(LOOKALIKES)))
            return number.replace(LOOKALIKES[letter], letter)
        case "no plus":
            return number[1:]
        case "two codes":
            return number[: place + 1] + number[1:]
    return number


@settings(max_examples=150)
@given(mistyped(), REGIONS)
def test_a_suggestion_is_one_number_made_of_what_was_typed(typed: str, region: str | None) -> None:
    suggested = suggest_number(typed, region)
    assert suggest_number(typed, region) == suggested
    if suggested is None:
        return

    read = read_number(suggested, None)
    assert (read.validity, read.e164, read.repairs) == (Validity.VALID, suggested, ())
    assert suggest_number(suggested, region) is None
    digits = "".join(LOOKALIKES.get(sign, sign) for sign in typed if sign.isdigit() or sign in LOOKALIKES)
    added = Counter(suggested[1:]) - Counter(digits)
    # A national number has its calling code from its region; no other digit is new.
    code = str(phonenumbers.parse(suggested).country_code)
    assert not added - Counter(code), (typed, region, suggested)


@settings(max_examples=60)
@given(st.text(max_size=60), REGIONS)
def test_no_text_makes_it_raise(typed: str, region: str | None) -> None:
    suggested = suggest_number(typed, region)

    assert suggested is None or read_number(suggested, None).validity is Validity.VALID
