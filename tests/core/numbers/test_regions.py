"""Country fields as people and CRM picklists write them."""

import subprocess
import sys

import phonenumbers
import pycountry
import pytest
from babel import Locale
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


FOREIGN = {
    "AT": ["Österreich", "OESTERREICH", "Autriche", "Áo", "奥地利"],
    "CH": ["Die Schweiz", "Suisse", "Svizzera", "Suiza", "Швейцария"],
    "CI": ["Elfenbeinküste", "Costa d'Avorio", "Costa de Marfil"],
    "CN": ["中国", "中國", "Китай", "Volksrepublik China"],
    "CZ": ["Česko", "Tschechien", "República Checa"],
    "DE": ["Allemagne", "Alemania", "Alemanha", "Niemcy", "Германия", "德国", "ドイツ", "독일", "DE - Deutschland"],
    "DK": ["Danmark", "Dänemark", "Daenemark"],
    "ES": ["Espagne", "Spanien", "España", "espana", "Испания", "Ισπανία", "स्पेन"],
    "FR": ["Frankreich", "Francia", "ฝรั่งเศส", "La France"],
    "GB": ["Reino Unido", "Royaume-Uni", "Großbritannien", "GROSSBRITANNIEN", "Великобритания", "イギリス"],
    "GR": ["Ελλάδα", "Grèce", "Griechenland"],
    "IL": ["ישראל"],
    "IN": ["भारत", "Inde", "Indien"],
    "KR": ["대한민국", "Südkorea", "Corée du Sud", "Corea del Sur"],
    "NL": ["Les Pays-Bas", "Niederlande", "Holanda"],
    "NO": ["Norge", "Noruega"],
    "RO": ["România", "Rumänien"],
    "SA": ["السعودية", "العربية السعودية", "Arabie saoudite"],
    "TR": ["TÜRKİYE", "Türkei", "turkiye"],
    "UA": ["Україна", "Украина"],
    "US": ["США", "EE.UU.", "ÉTATS-UNIS", "Etats-Unis", "Estados Unidos", "Vereinigte Staaten", "アメリカ", "米国"],
    "VN": ["Việt Nam"],
}


@pytest.mark.parametrize(("text", "region"), [(text, code) for code, texts in FOREIGN.items() for text in texts])
def test_name_in_another_language(text: str, region: str) -> None:
    assert read_region(text) == region


@pytest.mark.parametrize("language", ["de", "es", "fr", "it", "ja", "ru", "zh", "zh_Hant", "ar", "hi"])
def test_every_country_is_known_by_its_name_in_a_large_language(language: str) -> None:
    territories = Locale.parse(language).territories
    names = {country.alpha_2: territories[country.alpha_2] for country in pycountry.countries}

    assert {code: name for code, name in names.items() if read_region(name) != code} == {}


@pytest.mark.parametrize("text", ["Kongo", "US / Canada", "Germany, France", "Afrika", "Welt", "Unbekannt", "Europe"])
def test_a_name_that_is_not_one_country_names_none(text: str) -> None:
    assert read_region(text) is None


def test_the_names_of_other_languages_are_read_only_when_one_is_asked_for() -> None:
    script = (
        "import sys; from ringfence.core.numbers.regions import read_region; "
        "assert read_region('Germany') == 'DE'; assert 'babel' not in sys.modules; "
        "assert read_region('Espagne') == 'ES'; assert 'babel' in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


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
