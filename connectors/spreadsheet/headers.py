"""What a column holds, judged by its header, in the languages that CRM exports come in."""

from __future__ import annotations

from .words import names, split_words, without

_LONGEST_FLAG = 40


def names_phone(header: str) -> bool:
    """Return whether the header names a phone column; fax numbers do not count, because nobody calls them."""
    has_phone_word = names("phone_words", header) or any(
        word.endswith(("phone", "fon", "telefon")) for word in split_words(header).split()
    )
    return has_phone_word and not names_phone_property(header)


def names_phone_property(header: str) -> bool:
    """Return whether the header names a fax, an opt-out, or a property of a number such as its type."""
    return names_permission(header) or names("about_phone", header)


def excludes_phone(header: str) -> bool:
    """Return whether the header names something else that comes in digits, such as an order number."""
    return names_phone_property(header) or names("other_numbers", header)


def names_country(header: str) -> bool:
    """Return whether the header names a country column, whatever its cells say."""
    return names("country", header)


def may_name_country(header: str) -> bool:
    """Return whether the header names a country column, or does so in one of the languages that its word occurs in."""
    return names_country(header) or names("country_if_readable", header)


def excludes_country(header: str) -> bool:
    """Return whether the header names something whose values only look like countries, such as a language."""
    return names("no_country", header)


def names_opt_out(header: str) -> bool:
    """Return whether the header names an opt-out from calls; opt-outs of e-mail, post and texts do not count."""
    return says_opt_out(header) and not is_other_channel(header)


def says_opt_out(text: str) -> bool:
    """Return whether a header or a cell speaks of an opt-out, whatever its channel, and not of contacts so far."""
    return names("opt_out", without("activity", text))


def names_consent(header: str) -> bool:
    """Return whether the header names a column whose "yes" lets a person be called, such as *Can call*."""
    if says_opt_out(header) or is_other_channel(header):
        return False
    return names("may_call", header) and not names("about_agreement", header)


def names_permission(header: str) -> bool:
    """Return whether the header names who may or may not be called."""
    return names_opt_out(header) or names_consent(header)


def is_other_channel(header: str) -> bool:
    """Return whether the header is about e-mail, post or texts, and not about calls besides."""
    return names("other_channels", header) and not names("voice", header)


def is_flag(cell: str) -> bool:
    """Return whether a cell, which may be a remark, speaks of an opt-out from calls, whatever its column is called."""
    return len(cell) <= _LONGEST_FLAG and says_opt_out(cell) and not is_other_channel(cell)


def comes_near_opt_out(header: str) -> bool:
    """Return whether the header reads nearly like an opt-out, for which it is not taken."""
    return any(names(meaning, header) for meaning in ("opt_out", "may_call", "nearly"))
