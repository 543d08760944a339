"""What a column holds, judged by its header, in the languages that CRM exports come in."""

from __future__ import annotations

import re
import unicodedata

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BREAKS = re.compile(r"[\W_]+|(?<=\D)(?=\d)")

# A header with a word that begins with one of these names a phone column.
_PHONE_STEMS = (
    "phone", "telephon", "telefo", "telef", "tel", "tlf", "mobil", "movil", "cell", "celular", "handy", "gsm",
    "rufnummer", "festnetz", "landline", "portable", "puhelin", "komork", "msisdn", "whatsapp", "телефон", "тел",
    "мобильн", "моб", "τηλεφων", "κινητο", "هاتف", "جوال", "טלפון", "נייד",
)  # fmt: skip
_LONG_PHONE_STEMS = tuple(stem for stem in _PHONE_STEMS if len(stem) > 3)
_PHONE_WHOLE = frozenset({"tel", "cell", "mob", "gsm", "тел", "моб", "telnr", "hp"})
_PHONE_PARTS = ("whats app", "电话", "電話", "手机", "手機", "携帯", "联系方式", "전화", "휴대", "โทร")
# What such a column may be about instead of holding numbers.
_ABOUT_PHONE = frozenset({
    "fax", "telefax", "facsimile", "type", "typ", "tipo", "status", "date", "datum", "time", "id", "ext", "extension",
    "carrier", "verified", "consent", "count", "calls", "phonetic", "传真", "phonebook", "cellar",
    "template", "cancelled",
})  # fmt: skip
# Other things that come in long digits.
_OTHER_NUMBERS = frozenset({
    "order", "account", "invoice", "customer", "kundennummer", "timestamp", "zip", "postal", "plz", "iban", "vat",
    "tax", "sku", "ean", "isbn", "upc", "amount", "price", "created", "updated", "modified", "serial", "imei", "card",
    "ssn",
})  # fmt: skip
_COUNTRY_WORDS = frozenset({
    "country", "countrycode", "land", "landeskurzel", "pays", "pais", "paese", "kraj", "maa", "ulke", "orszag", "stat",
    "nation", "iso", "iso2", "iso3", "страна", "χωρα",
})  # fmt: skip
_COUNTRY_PARTS = ("country", "国家", "國家", "国名", "국가")
_NO_COUNTRY = frozenset(
    {"state", "province", "language", "locale", "lang", "sprache", "currency", "title", "salutation", "first", "name"}
)
_OPT_OUT = re.compile(
    r"\b(do ?not ?(call|contact|phone)|dnc|dnd|opt(ed)? ?out( of call)?|opt ?outs|no ?calls?|dont call|"
    r"nicht anrufen|werbesperre|kontaktsperre|anrufsperre|ne pas (appeler|contacter)|bloctel|no llamar|non chiamare)\b|"
    r"勿扰|请勿致电|拒绝来电|не звонить"
)
_OTHER_CHANNEL = re.compile(r"e ?mail|\bmail|\bfax|newsletter|\bpost|\bsms\b|\btext")


def split_words(header: str) -> str:
    """Return a header as lower-case words without accents, ``MobilePhone_2`` as ``mobile phone 2``."""
    spaced = _CAMEL.sub(" ", header).casefold()
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(mark))
    return _BREAKS.sub(" ", unicodedata.normalize("NFC", bare)).strip()


def names_phone(header: str) -> bool:
    """Return whether the header names a phone column; fax numbers do not count, because nobody calls them."""
    text = split_words(header)
    has_phone_word = any(map(_is_phone_word, text.split())) or any(part in text for part in _PHONE_PARTS)
    return has_phone_word and not names_phone_property(header)


def names_phone_property(header: str) -> bool:
    """Return whether the header names a fax, an opt-out, or a property of a number such as its type."""
    words = split_words(header).split()
    return names_opt_out(header) or any(word in _ABOUT_PHONE or word.startswith("fax") for word in words)


def excludes_phone(header: str) -> bool:
    """Return whether the header names something else that comes in digits, such as an order number."""
    return names_phone_property(header) or not _OTHER_NUMBERS.isdisjoint(split_words(header).split())


def names_country(header: str) -> bool:
    """Return whether the header names a country column."""
    text = split_words(header)
    return any(part in text for part in _COUNTRY_PARTS) or not _COUNTRY_WORDS.isdisjoint(text.split())


def excludes_country(header: str) -> bool:
    """Return whether the header names something whose values only look like countries, such as a language."""
    return not _NO_COUNTRY.isdisjoint(split_words(header).split())


def names_opt_out(header: str) -> bool:
    """Return whether the header names an opt-out from calls; opt-outs of e-mail, post and texts do not count."""
    text = split_words(header)
    return _OPT_OUT.search(text) is not None and _OTHER_CHANNEL.search(text) is None


def _is_phone_word(word: str) -> bool:
    if word in _PHONE_WHOLE:
        return True
    return word.endswith(("phone", "fon", "telefon")) or word.startswith(_LONG_PHONE_STEMS)
