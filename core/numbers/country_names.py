"""The names of all countries in the large languages: those of Unicode's CLDR, and what people call them besides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import pycountry
import yaml

LANGUAGES = (
    *("ar", "bg", "bn", "cs", "da", "de", "el", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "it", "ja"),
    *("ko", "lt", "lv", "ms", "nl", "no", "pl", "pt", "pt_PT", "ro", "ru", "sk", "sl", "sr", "sr_Latn", "sv", "th"),
    *("tr", "uk", "ur", "vi", "zh", "zh_Hant"),
)
"""The languages whose names are read, as CLDR names their data (Norwegian's two forms share one)."""

_ARTICLES = re.compile(r"(?:die|der|das|les?|la|los|las|el|os?|il|gli|i|de|het|l['\u2019])\b\s*", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\s.,'\u2018\u2019`()_\u00b7\u30fb-]+")
# Letters that decomposition leaves as they are, and that people type without their stroke.
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe"})
# How umlauts are written where a keyboard has none.
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def fold_name(text: str) -> str:
    """Return a text without case, diacritics, spaces and punctuation; "n/a" keeps its slash, or it would be Namibia."""
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    words = [word for word in _PUNCTUATION.split(bare.casefold().translate(_STROKES).replace("&", " and ")) if word]
    if len(words) > 1:
        words = ["saint" if word == "st" else word for word in words if word != "the"]
    return "".join(words)


def find_foreign_name(text: str) -> str | None:
    """Return the ISO 3166 alpha-2 code of a country by its name in any of the languages, or None.

    A name that means one country in one language and another in the next names none. The first call of a process reads
    the names, which takes a few tenths of a second.
    """
    names = _names()
    return names.get(fold_name(text)) or names.get(fold_name(_ARTICLES.sub("", text, count=1)))


@cache
def _names() -> dict[str, str | None]:
    """Return the code of every folded name, None for one of several countries; made once, on first use."""
    names: dict[str, str | None] = {}
    for code, name in (*_unicode_names(), *_everyday_names()):
        for spelling in {name, name.casefold().translate(_UMLAUTS)}:
            key = fold_name(spelling)
            names[key] = code if names.setdefault(key, code) == code else None
    names.pop("", None)
    return names


def _unicode_names() -> Iterator[tuple[str, str]]:
    from babel import localedata  # noqa: PLC0415 - only an unusual country needs it, and no command should wait for it

    codes = {country.alpha_2 for country in pycountry.countries} | {"XK"}
    for language in LANGUAGES:
        territories = localedata.load(language, merge_inherited=False)["territories"]
        yield from ((code, name) for code, name in territories.items() if code in codes)


def _everyday_names() -> Iterator[tuple[str, str]]:
    table = yaml.safe_load(files(__package__).joinpath("country_names.yaml").read_text(encoding="utf-8"))
    return ((code, name) for code, names in table.items() for name in names)
