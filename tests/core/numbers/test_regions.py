"""Country fields as people and CRM picklists write them."""

import phonenumbers
import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.numbers.regions import read_region

SPELLINGS = {
    "US": [
        "US",
        "us",
        "USA",
        "U.S.",
        "U.S.A.",
        "u. s.",
        "United States",
        "The United States",
        "United States of America",
    ],
    "GB": ["GB", "UK", "U.K.", "Great Britain", "united  kingdom", "UNITED KINGDOM", "England", "Northern Ireland"],
    "KR": ["Korea, South", "South Korea", "Korea, Republic of", "Republic of Korea", "KOR"],
    "KP": ["North Korea", "Korea, Democratic People's Republic of"],
    "RU": ["Russia", "Russian Federation"],
    "VN": ["Viet Nam", "Vietnam"],
    "CZ": ["Czech Republic", "Czechia"],
    "TR": ["Türkiye", "Turkiye", "Turkey"],
    "HK": ["Hong Kong", "Hong Kong SAR", "Hong Kong SAR China"],
    "MO": ["Macao", "Macau"],
    "CI": ["Cote d'Ivoire", "Côte d\u2019Ivoire", "Ivory Coast"],
    "NL": ["The Netherlands", "Netherlands", "Holland"],
    "DE": ["Germany", "DEU", " de ", "Germany (DE)", "Deutschland"],
    "CD": ["Congo - Kinshasa", "Congo, the Democratic Republic of the", "Democratic Republic of the Congo"],
    "CG": ["Congo - Brazzaville", "Congo"],
    "BO": ["Bolivia", "Bolivia, Plurinational State of"],
    "TZ": ["Tanzania", "Tanzania, United Republic of"],
    "IR": ["Iran", "Iran, Islamic Republic of"],
    "TW": ["Taiwan", "Chinese Taipei", "Taiwan, Province of China"],
    "VA": ["Holy See (Vatican City State)", "Vatican City"],
    "VC": ["St. Vincent & Grenadines", "Saint Vincent and the Grenadines"],
    "GM": ["Gambia", "The Gambia", "Gambia, The"],
    "BA": ["Bosnia & Herzegovina", "Bosnia and Herzegovina"],
    "MM": ["Myanmar (Burma)", "Burma"],
    "AX": ["Åland Islands", "Aland Islands"],
    "CW": ["Curaçao", "Curacao"],
    "XK": ["Kosovo"],
    "NA": ["NA", "Namibia"],
    "ST": ["ST", "São Tomé & Príncipe"],
}


@pytest.mark.parametrize(("text", "region"), [(text, code) for code, texts in SPELLINGS.items() for text in texts])
def test_spelling(text: str, region: str) -> None:
    assert read_region(text) == region


@pytest.mark.parametrize(
    "text", [None, "", " ", "n/a", "N/A", "none", "-", "Atlantis", "EU", "the", "x" * 10_000, "\ud800"]
)
def test_what_names_no_country(text: str | None) -> None:
    assert read_region(text) is None


@pytest.mark.parametrize("country", list(pycountry.countries), ids=lambda country: country.alpha_2)
def test_every_iso_code_and_name(country: object) -> None:
    forms = (getattr(country, name, None) for name in ("alpha_2", "alpha_3", "name", "common_name", "official_name"))
    expected = getattr(country, "alpha_2", "")

    assert {read_region(variant) for form in forms if form for variant in (form, form.upper(), form.lower())} == {
        expected
    }


def test_every_region_with_a_numbering_plan_can_be_named_by_its_code() -> None:
    assert {region for region in phonenumbers.SUPPORTED_REGIONS if read_region(region) != region} <= {"AC", "TA"}


@given(st.text())
def test_any_text_gives_a_code_or_nothing(text: str) -> None:
    region = read_region(text)
    assert region is None or (len(region) == 2 and region.isupper())
