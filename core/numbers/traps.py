"""Recognises texts that look like numbers and are none, and texts that hide one. Each step takes a cleaned text."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from .plans import numbering_plan as plan

# 4.91512E+11: a spreadsheet shows few digits of a long number and saves what it shows.
_SCIENTIFIC = re.compile(r"(?P<whole>\+?\d+)(?:[.,](?P<fraction>\d*))?[eE]\+?(?P<exponent>-?\d{1,3})")
_MOST_LOST = 15
_FLOAT = re.compile(r"(?P<number>[^.,]*\d{3})[.,]0{1,2}")
_FLOAT_WITH_DOTS = re.compile(r"(?P<number>.*\d)[.,]0{1,2}", re.DOTALL)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3}){2,}")

_MASK = re.compile(
    r"\d[*?]|[*?]\d|[*?]{2,}"  # a star or a question mark in place of a digit
    r"|\#{2,}|_{2,}|\d\.{3,}"
    r"|(?<![a-z])x{2,}(?![a-z])"
    r"|\dx(?![\w.: ]*\d)"  # an x that ends the digits; followed by digits it may introduce an extension
    r"|^\W*x[\d x-]{6,}",
    re.IGNORECASE,
)
# Without one of these a text is not masked.
_MASKING = re.compile(r"[*?#_xX]|\.{3}")
_MASK_ALONE = re.compile(r"[*x#?_ ().+-]*(?:\*|x|\#\#|__)[*x#?_ ().+-]*", re.IGNORECASE)

# In Brazil and Argentina 0xx stands for the trunk zero and the digits of a carrier of one's choice.
_CARRIER = re.compile(r"(\W*)\(?0 ?xx ?\)?", re.IGNORECASE)
_CARRIER_BEHIND_CODE = re.compile(r"(\W*(?:\+|00) ?5[45]\W*?\(?)0 ?xx ?", re.IGNORECASE)
_CARRIER_REGIONS = frozenset(("AR", "BR"))

# *67 and *31# hide the caller's number; a star or a hash with a code stands in front of the number that is dialled.
_DIAL_CODE = re.compile(r"(?:[*#]{1,2}\d{2,3}(?:[*#]|[ ,.-]+)|\*\d{2}(?=\d{10}))(?=[+(\d])")
_DOUBLED_CODE = re.compile(r"\+? ?(?P<code>\d{1,3})[ -]*(?=\+ ?(?P=code)\d*[ -]?\d)")

_URI = re.compile(r"\b(?:tel|callto):", re.IGNORECASE)
_URI_PARAMETER = re.compile(r";(?!ext=)[a-z][\w-]*(?:=[^;]*)?", re.IGNORECASE)

_TYPED_LETTERS = re.compile(r"(?<![A-Za-z])(?=[0-9]*[OolI])[0-9OolI]+(?![A-Za-z])")
_LETTER_DIGITS = str.maketrans("OolI", "0011")

_KEYPAD_WORD = re.compile(r"(?P<head>\+?[0-9(][0-9() .-]*?)[ .-]*(?P<word>[A-Za-z][A-Za-z0-9 .-]*)")
_KEYPAD_EXTENSION = re.compile(r"[ ,]+(?:x|ext)[. ]*(?P<extension>\d{1,9})$", re.IGNORECASE)
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")


class Scientific(NamedTuple):
    """A figure as a spreadsheet abbreviates it: the digits that it stands for, and how many of these got lost."""

    digits: str
    lost: int


def read_scientific(text: str) -> Scientific | None:
    """Return the digits of 3.108207129E9, with zeros for those that are lost (4.9E+11); None for another text."""
    match = _SCIENTIFIC.fullmatch(text) if "e" in text or "E" in text else None
    if match is None:
        return None
    fraction = match["fraction"] or ""
    lost = int(match["exponent"]) - len(fraction)
    return Scientific(match["whole"] + fraction + "0" * min(lost, _MOST_LOST), lost)


def is_masked(text: str) -> bool:
    """Return whether x, *, # or the like stand in place of digits: what is left is another number, or none."""
    if _MASKING.search(text) is None:
        return False
    if re.search(r"\d", text):
        return _MASK.search(text) is not None
    return _MASK_ALONE.fullmatch(text) is not None


def without_float(text: str) -> tuple[str, bool] | None:
    """Return the text without a spreadsheet's .0, and whether the .0 may be digits of the number; None without one.

    It may be digits of the number where other dots or commas separate digits too.
    """
    if not text.endswith((".0", ".00", ",0", ",00")):
        return None
    certain = _FLOAT.fullmatch(text)
    if certain:
        return certain["number"], False
    possible = _FLOAT_WITH_DOTS.fullmatch(text)
    return (possible["number"], True) if possible else None


def without_thousands(text: str) -> str | None:
    """Return 4,155,550,143 without its commas, or None when the text is not such a figure."""
    return text.replace(",", "") if "," in text and _THOUSANDS.fullmatch(text) else None


def without_dial_code(text: str) -> str | None:
    """Return the text without the dial code in front of it (*67, *31#), or None when there is none."""
    match = _DIAL_CODE.match(text)
    return text[match.end() :] if match else None


def with_single_code(text: str) -> str | None:
    """Return "+7+7495..." as "+7495...", or None when no calling code stands in front of itself."""
    match = _DOUBLED_CODE.match(text)
    return text[match.end() :] if match and plan.is_calling_code(match["code"]) else None


def without_carrier(text: str, region: str | None) -> str | None:
    """Return a Brazilian or Argentine 0xx number without the placeholder, or None when it is not one.

    The trunk zero is kept, except behind a calling code, where none is dialled.
    """
    if "x" in text.lower() and (behind := _CARRIER_BEHIND_CODE.match(text)):
        return f"{behind[1]}{text[behind.end() :]}"
    match = _CARRIER.match(text) if region in _CARRIER_REGIONS else None
    return f"{match[1]}0 {text[match.end() :]}" if match else None


def split_uri(text: str) -> tuple[str, bool] | None:
    """Return what follows `tel:` and whether it has a phone-context (RFC 3966), or None when the text is no URI."""
    if ":" not in text and ";" not in text:
        return None
    match = _URI.search(text)
    if match is None and ";phone-context=" not in text:
        return None
    body = (text[match.end() :] if match else text).replace("%2B", "+").replace("%2b", "+").replace("%20", " ")
    return (body, True) if ";phone-context=" in body else (_URI_PARAMETER.sub("", body), False)


def with_typed_letters(text: str) -> str | None:
    """Return the text with O and l as 0 and 1 where they stand among digits, or None when none do."""
    fixed = _TYPED_LETTERS.sub(lambda match: match[0].translate(_LETTER_DIGITS), text)
    return fixed if fixed != text else None


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number with a word in it: its digits as on the keypad, the word as typed, and its extension."""

    digits: str
    word: str
    extension: str | None


def from_keypad(text: str) -> Spelled | None:
    """Return a vanity number (1-800-FLOWERS) in digits, or None when the text is not one."""
    extension = _KEYPAD_EXTENSION.search(text)
    match = _KEYPAD_WORD.fullmatch(text[: extension.start()] if extension else text)
    if match is None or sum(map(str.isalpha, match["word"])) < 3:
        return None
    digits = match["head"] + match["word"].upper().translate(_KEYPAD)
    return Spelled(digits, match["word"], extension["extension"] if extension else None)
