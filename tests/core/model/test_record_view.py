"""A record seen as phone slots: what counts as content, as a current verdict, and as the numbers of the record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.model.record_view import SCREENED_VALUE_LENGTH, RecordView, screened_value
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Companion, Record, Value
from ringfence.core.numbers import ReasonCode

PHONE = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
MOBILE = Slot("mobile", {companion: f"rf_mobile_{companion.value}" for companion in Companion})
SHAPE = ObjectShape(
    "people",
    (PHONE, MOBILE),
    opt_outs=(OptOutFlag("optout", (True, "Yes")),),
    region_field="country",
    default_region="US",
)


def view_of(**values: Value) -> RecordView:
    return RecordView(Record("people", "p1", values), SHAPE)


@pytest.mark.parametrize(
    ("country", "region"),
    [("Germany", "DE"), ("gb", "GB"), ("Atlantis", None), ("n/a", None), (None, "US"), ("", "US"), ("  ", "US")],
)
def test_the_default_region_is_for_records_that_name_no_country(country: str | None, region: str | None) -> None:
    assert view_of(country=country).region() == region


def test_a_number_is_not_read_by_the_default_region_where_the_country_cannot_be_read() -> None:
    number = view_of(country="Atlantis", phone="415 555 0132").number(PHONE)

    assert (number.e164, number.reason) == (None, ReasonCode.NO_REGION)


def test_every_number_of_a_record_counts_once() -> None:
    view = view_of(phone="+1 415 555 0132 or +1 415 555 0143", mobile="(415) 555-0132")

    assert view.e164s(PHONE) == ("+14155550132", "+14155550143")
    assert view.e164s(MOBILE) == ("+14155550132",)
    assert view.all_e164s() == ("+14155550132", "+14155550143")


@pytest.mark.parametrize(("country", "e164"), [("US", "+14155550132"), ("Canada", "+14155550132"), ("SG", None)])
def test_what_a_cell_means_does_not_rest_on_its_companion(country: str, e164: str | None) -> None:
    content = "4155550132"
    view = view_of(phone=content, country=country, rf_phone_screened_value=content, rf_phone_e164="+14155550199")

    assert view.e164s(PHONE) == ((e164,) if e164 else ())


def test_records_with_the_same_unreadable_cell_share_a_key() -> None:
    one = view_of(country="Atlantis", phone="(415) 555-0132")
    other = view_of(country="Lemuria", phone="415.555.0132")

    assert one.all_e164s() == other.all_e164s() == ("cell:4155550132",)


@pytest.mark.parametrize("phone", ["000 000 0000", "555-555-5555", "123-456-7890", "12", "n/a", "", None])
@pytest.mark.parametrize("country", ["US", "Atlantis"])
def test_what_cannot_exist_has_no_key(phone: str | None, country: str) -> None:
    view = view_of(phone=phone, country=country)

    assert view.all_e164s() == ()


@pytest.mark.parametrize(
    ("value", "flagged"), [(True, True), ("yes", True), (" YES ", True), ("no", False), (False, False), (None, False)]
)
def test_a_flag_is_up_in_any_of_its_values(value: Value, flagged: bool) -> None:
    assert view_of(optout=value).flagged is flagged


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_screened_value_fits_its_field_and_tells_contents_apart(one: str, other: str) -> None:
    values = screened_value(one), screened_value(other)

    assert all(len(value) <= SCREENED_VALUE_LENGTH for value in values)
    assert (values[0] == values[1]) is (one.strip() == other.strip())


@given(st.text(min_size=1, max_size=200).filter(str.strip), st.sampled_from(["", " ", "\n"]))
def test_a_verdict_is_current_while_the_content_stays_the_same_but_for_white_space(content: str, around: str) -> None:
    view = view_of(phone=f"{around}{content}{around}", rf_phone_screened_value=screened_value(content))

    assert view.is_current(PHONE)
    assert not view_of(phone=content + "!", rf_phone_screened_value=screened_value(content)).is_current(PHONE)
