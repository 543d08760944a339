"""Reads what people and CRMs write in a country field as an ISO 3166 region."""

import re
import unicodedata
from functools import cache, lru_cache

import pycountry

# No country is named by more characters; a longer text is something else.
MAX_LENGTH = 100

# Spellings that ISO 3166 does not have: everyday names, former names, the picklists of Salesforce (which still has
# some names of older ISO editions) and HubSpot (which follows Unicode CLDR), and parts of the United Kingdom.
_SPELLINGS = {
    "AC": ("Ascension", "Ascension Island"),
    "AE": ("UAE", "Emirates"),
    "AT": ("Österreich",),
    "BA": ("Bosnia",),
    "BE": ("Belgique", "België"),
    "BN": ("Brunei",),
    "BO": ("Bolivia",),
    "BQ": ("Caribbean Netherlands",),
    "BR": ("Brasil",),
    "CD": ("Congo - Kinshasa", "DR Congo", "DRC", "Congo, Democratic Republic of the", "Congo (Kinshasa)"),
    "CG": ("Congo - Brazzaville", "Republic of the Congo", "Congo Republic", "Congo (Brazzaville)"),
    "CH": ("Schweiz", "Suisse", "Svizzera"),
    "CI": ("Ivory Coast",),
    "CN": ("Mainland China", "PRC", "PR China", "China (Mainland)"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "DE": ("Deutschland",),
    "DK": ("Danmark",),
    "ES": ("España",),
    "FK": ("Falkland Islands", "Falklands"),
    "FM": ("Micronesia",),
    "GB": ("UK", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "GR": ("EL", "Hellas"),
    "HM": ("Heard and McDonald Islands",),
    "HK": ("Hong Kong SAR", "Hong Kong SAR China", "Hong Kong, China", "Hong Kong S.A.R."),
    "IE": ("Éire", "Republic of Ireland", "Ireland, Republic of", "Eire"),
    "IR": ("Iran",),
    "IT": ("Italia",),
    "KN": ("Saint Kitts", "St Kitts and Nevis"),
    "KP": ("North Korea", "Korea, North", "DPRK"),
    "KR": ("South Korea", "Korea, South", "Korea (South)", "Korea", "ROK", "Republic of Korea"),
    "LA": ("Laos",),
    "LY": ("Libyan Arab Jamahiriya",),
    "MD": ("Moldova",),
    "MF": ("Saint Martin",),
    "MK": ("Macedonia", "Macedonia, the former Yugoslav Republic of", "FYROM"),
    "MM": ("Burma", "Myanmar (Burma)"),
    "MO": ("Macau", "Macau SAR", "Macao SAR", "Macao SAR China", "Macau SAR China"),
    "NL": ("Holland", "Nederland"),
    "NO": ("Norge",),
    "PL": ("Polska",),
    "PN": ("Pitcairn Islands",),
    "PS": ("Palestine", "Palestinian Territories", "Palestinian Territory", "Palestinian Territory, Occupied"),
    "RE": ("Reunion Island",),
    "RU": ("Russia",),
    "SE": ("Sverige",),
    "SH": ("Saint Helena", "St. Helena"),
    "SX": ("Sint Maarten",),
    "SY": ("Syria",),
    "SZ": ("Swaziland",),
    "TA": ("Tristan da Cunha",),
    "TL": ("East Timor",),
    "TR": ("Turkey", "Türkiye"),
    "TW": ("Taiwan", "Chinese Taipei", "Taiwan, Republic of China", "Taiwan ROC"),
    "TZ": ("Tanzania",),
    "UM": ("U.S. Outlying Islands",),
    "US": ("USA", "U.S.", "U.S.A.", "United States of America", "The States", "America"),
    "VA": ("Vatican", "Vatican City", "Vatican City State"),
    "VE": ("Venezuela",),
    "VG": ("British Virgin Islands",),
    "VI": ("US Virgin Islands", "U.S. Virgin Islands"),
    "VN": ("Vietnam",),
    "XK": ("XK", "XKX", "Kosovo"),
}

_PUNCTUATION = re.compile(r"[\s.,'\u2018\u2019`()_-]+")
_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")


@lru_cache(maxsize=4096)
def read_region(text: str | None) -> str | None:
    """Return the ISO 3166 alpha-2 code of a country, or None when the text names none.

    Takes ISO alpha-2 and alpha-3 codes and English names in any case, spacing and diacritics, and the spellings of
    Salesforce and HubSpot picklists. Raises nothing.
    """
    if text is None or len(text) > MAX_LENGTH:
        return None
    names = _names()
    return names.get(_key(text)) or names.get(_key(_BRACKETS.sub("", text)))


def _key(text: str) -> str:
    """Return a text without case, diacritics, spaces and punctuation; "n/a" keeps its slash, or it would be Namibia."""
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    words = [word for word in _PUNCTUATION.split(bare.casefold().replace("&", " and ")) if word]
    if len(words) > 1:
        words = ["saint" if word == "st" else word for word in words if word != "the"]
    return "".join(words)


@cache
def _names() -> dict[str, str]:
    """Return the region of every folded name and code; made once, on first use."""
    names: dict[str, str] = {}
    for country in pycountry.countries:
        official, everyday = getattr(country, "official_name", None), getattr(country, "common_name", None)
        for name in (country.name, official, everyday, country.alpha_3):
            if name:
                names[_key(name)] = country.alpha_2
                names.setdefault(_key(_turned(name)), country.alpha_2)

    for code, spellings in _SPELLINGS.items():
        names.update({_key(spelling): code for spelling in spellings})

    # A code of two letters always means itself.
    names.update({country.alpha_2.casefold(): country.alpha_2 for country in pycountry.countries})
    names.pop("", None)
    return names


def _turned(name: str) -> str:
    """Return "Korea, Republic of" as "Republic of Korea"."""
    head, comma, tail = name.partition(", ")
    return f"{tail} {head}" if comma else name
