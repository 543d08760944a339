"""What holds for any text at all."""

import re
import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.numbers import ReasonCode, Validity, mask, read_number
from ringfence.core.numbers.text import clean

# No plan here puts digits of its own in front of a national number, as Argentina and some islands do.
PLAIN_REGIONS = ("US", "GB", "DE", "FR", "IT", "JP", "IN", "SE", "DK")
REGIONS = (*PLAIN_REGIONS, "AR", "BR", "BS", "CN", "RU", "MX", "KZ", "AC", "us", "ZZ", "", None)

NUMBERS = ("+442079460018", "020 7946 0018", "(202) 555-0143", "030 23125123", "+39 02 1234 5678", "070-174 06 05")
NOISE = (
    "",
    " ",
    " / ",
    " or ",
    ", ",
    "; ",
    "\n",
    " x12",
    ".0",
    "00",
    "011",
    "+",
    "(0)",
    " home",
    "x",
    "O",
    "l",
    "*",
    "7",
)

phonelike = st.text(alphabet="0123456789+-() ./,;:x#*?OolIeE~'_\n\t\u2009\u200b\u2013\u0660\uff11aom", max_size=40)
patchwork = st.lists(st.sampled_from((*NUMBERS, *NOISE)), max_size=6).map("".join)
anything = st.text(max_size=60) | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Nd", "Mn"]))
raws = phonelike | patchwork | anything


def digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


@settings(deadline=None, max_examples=400)
@given(raws, st.sampled_from(REGIONS))
def test_any_text_has_a_verdict_that_fits_together(raw: str, region: str | None) -> None:
    number = read_number(raw, region)

    assert number.raw == raw
    assert (number.e164 is not None) == (number.validity in (Validity.VALID, Validity.POSSIBLE))
    assert (number.validity is Validity.VALID) == (number.reason is ReasonCode.ALLOCATED)
    assert (number.validity is Validity.UNKNOWN) == (number.reason in {ReasonCode.NO_REGION, ReasonCode.AMBIGUOUS})
    assert number.e164 is None or re.fullmatch(r"\+[1-9][0-9]{3,14}", number.e164)
    assert number.e164 not in number.others
    assert len(set(number.others)) == len(number.others)


@settings(deadline=None, max_examples=400)
@given(raws, st.sampled_from(REGIONS))
def test_an_opt_out_covers_what_may_be_meant_and_nothing_that_cannot_exist(raw: str, region: str | None) -> None:
    number = read_number(raw, region)
    forms = [key for key in number.covers if not key.startswith("cell:")]

    assert len(set(number.covers)) == len(number.covers) < 200
    assert all(read_number(form, None).e164 == form for form in forms)
    assert number.validity is not Validity.VALID or number.e164 in forms or not forms
    assert number.validity is not Validity.INVALID or set(forms) <= set(number.others)
    assert number.covers == read_number(f" {raw} ", region).covers


@settings(deadline=None, max_examples=400)
@given(raws, st.sampled_from(REGIONS), st.sampled_from(REGIONS))
def test_a_number_reads_as_itself_whatever_the_region(raw: str, region: str | None, other: str | None) -> None:
    number = read_number(raw, region)
    # One that was never given out may be meant otherwise: "+81 00120..." is nobody's, and looks like a doubled prefix.
    certain = number.e164 if number.validity is Validity.VALID else None
    for e164 in filter(None, (certain, *number.others)):
        again = read_number(e164, other)
        assert (again.e164, again.repairs, again.others) == (e164, (), ())

    if certain:
        again = read_number(certain, other)
        assert (again.validity, again.region, again.line_type) == (number.validity, number.region, number.line_type)


@settings(deadline=None, max_examples=400)
@given(raws, st.sampled_from(PLAIN_REGIONS))
def test_no_digit_is_invented(raw: str, region: str) -> None:
    number = read_number(raw, region)
    there = digits(clean(raw)[0])
    if any("O and l" in repair for repair in number.repairs):
        there = digits(clean(raw)[0].translate(str.maketrans("OolI", "0011")))
    if any("keypad" in repair for repair in number.repairs):
        return
    for e164 in filter(None, (number.e164, *number.others)):
        assert any(e164[1 + code :] in there for code in (1, 2, 3))


def without_constants(repair: str) -> str:
    for constant in (" .0", "00 as", "011 as", "00 after", "011 after", "(0)", "+0 as", "as 0 and 1"):
        repair = repair.replace(constant, "")
    return repair


@settings(deadline=None, max_examples=400)
@given(raws, st.sampled_from(REGIONS))
def test_repairs_hold_no_digit_of_the_number_and_no_semicolon(raw: str, region: str | None) -> None:
    repairs = read_number(raw, region).repairs

    assert all(digits(without_constants(repair)) == "" for repair in repairs)
    assert not any(";" in repair for repair in repairs)


@given(st.text() | st.from_regex(r"\+?[0-9]{1,17}", fullmatch=True))
def test_a_mask_hides_three_digits_or_all(text: str) -> None:
    count = sum(map(str.isdecimal, text))
    assert sum(map(str.isdecimal, mask(text))) <= max(0, min(8, count - 3) if count > 4 else count - 3)


@pytest.mark.parametrize("raw", NUMBERS)
@pytest.mark.parametrize(("before", "after"), list(product(("", "Tel: ", "\u202a", " "), ("", " ", "\u202c", " home"))))
def test_what_stands_around_a_number_changes_nothing(raw: str, before: str, after: str) -> None:
    region = {"(": "US"}.get(raw[0], {"020": "GB", "030": "DE", "070": "SE"}.get(raw[:3]))
    assert read_number(before + raw + after, region).e164 == read_number(raw, region).e164


@pytest.mark.parametrize(
    "pattern",
    [
        *("1 ", "1/", "1,2", "x1", "+1", "\u2009a1", "(0)", "1.", "O1", "0 l", "*", "\ud800\x00"),
        *("030 23125123/", "1-800-KLJ-0199 "),
    ],
)
def test_ten_kilobytes_take_no_time(pattern: str) -> None:
    raw = (pattern * 10_000)[:10_000]
    start = time.process_time()
    read_number(raw, "DE")

    # Measured: 2 ms at most; the bound leaves room for a slow machine and still catches anything quadratic in 10,000.
    assert time.process_time() - start < 0.5
