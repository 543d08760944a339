"""A record seen as phone slots: what counts as content, as a current verdict, and as the numbers of the record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.model.record_view import SCREENED_VALUE_LENGTH, RecordView, screened_value
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Companion, Record, Value

PHONE = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
MOBILE = Slot("mobile", {companion: f"rf_mobile_{companion.value}" for companion in Companion})
SHAPE = ObjectShape(
    "people",
    (PHONE, MOBILE),
    opt_out=OptOutFlag("optout", (True, "Yes")),
    region_field="country",
    default_region="US",
)


def view_of(**values: Value) -> RecordView:
    return RecordView(Record("people", "p1", values), SHAPE)


@pytest.mark.parametrize(("country", "region"), [("Germany", "DE"), ("gb", "GB"), ("Atlantis", "US"), (None, "US")])
def test_the_country_field_names_the_region_where_it_can_be_read(country: str | None, region: str) -> None:
    assert view_of(country=country).region() == region


def test_every_number_of_a_record_counts_once() -> None:
    view = view_of(phone="+1 415 555 0132 or +1 415 555 0143", mobile="(415) 555-0132")

    assert view.e164s(PHONE) == ("+14155550132", "+14155550143")
    assert view.e164s(MOBILE) == ("+14155550132",)
    assert view.all_e164s() == ("+14155550132", "+14155550143")


@pytest.mark.parametrize(
    ("content", "screened", "e164s"),
    [
        ("415 555 0132", "415 555 0132", ("+14155550199",)),
        ("415 555 0132", "415 555 0100", ("+14155550132",)),
        ("415 555 0132 / 415 555 0143", "415 555 0132 / 415 555 0143", ("+14155550132", "+14155550143")),
    ],
)
def test_only_a_plain_cell_with_a_current_verdict_holds_the_number_of_its_companion(
    content: str, screened: str, e164s: tuple[str, ...]
) -> None:
    view = view_of(phone=content, rf_phone_screened_value=screened, rf_phone_e164="+14155550199")

    assert view.e164s(PHONE) == e164s


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
