"""Reads what people and CRMs write in a country field as an ISO 3166 region."""

import re
from functools import cache, lru_cache

import pycountry

from .country_names import find_foreign_name, fold_name

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

_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")
_LONGEST_CODE = 3
# What parts a code from a name ("DE - Deutschland"), or a name in one language from that in another.
_PARTS = re.compile(r"\s+[-\u2013\u2014]\s+|\s*[/|:;]\s*|\s*[(\[]\s*|\s*[)\]]\s*")


@lru_cache(maxsize=4096)
def read_region(text: str | None) -> str | None:
    """Return the ISO 3166 alpha-2 code of a country, or None when the text names none.

    Takes ISO alpha-2 and alpha-3 codes, and the names of all countries in English and in the other large languages, in
    any case, spacing and diacritics, as well as the spellings of Salesforce and HubSpot picklists. A name that means
    one country in one language and another in the next names none. Raises nothing.
    """
    if text is None or len(text) > MAX_LENGTH:
        return None
    if (region := _read_name(text) or _read_name(_BRACKETS.sub("", text))) is not None:
        return region
    parts = [part for part in _PARTS.split(text) if part.strip()]
    named = {_read_name(part) for part in parts} if len(parts) > 1 else set()
    return named.pop() if len(named) == 1 else None


def _read_name(text: str) -> str | None:
    key = fold_name(text)
    if not key:
        return None
    english = _names().get(key)
    if english and (text.isascii() or len(key) > _LONGEST_CODE):
        return english
    # An accent tells the Vietnamese name of Austria from the code of Angola.
    return find_foreign_name(text) or english


@cache
def _names() -> dict[str, str]:
    """Return the region of every folded name and code in English; made once, on first use."""
    names: dict[str, str] = {}
    for country in pycountry.countries:
        official, everyday = getattr(country, "official_name", None), getattr(country, "common_name", None)
        for name in (country.name, official, everyday, country.alpha_3):
            if name:
                names[fold_name(name)] = country.alpha_2
                names.setdefault(fold_name(_turned(name)), country.alpha_2)

    for code, spellings in _SPELLINGS.items():
        names.update({fold_name(spelling): code for spelling in spellings})

    # A code of two letters always means itself.
    names.update({country.alpha_2.casefold(): country.alpha_2 for country in pycountry.countries})
    names.pop("", None)
    return names


def _turned(name: str) -> str:
    """Return "Korea, Republic of" as "Republic of Korea"."""
    head, comma, tail = name.partition(", ")
    return f"{tail} {head}" if comma else name
