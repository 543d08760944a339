"""The likely correction of a text that is no number: one mistake taken back, and only where that gives one number.

Every digit of a suggestion is one that was typed. So one digit too few is never completed: which one is missing nobody
can tell. Mistakes are tried in the order of how surely they are mistakes; the first kind that leads to any valid number
decides, and where it leads to several there is no suggestion:

1. signs, not digits: letters for digits, a calling code that stands twice, a plus left out, the digits of a calling
   code in the wrong order
2. a key that was pressed twice
3. any one digit too many
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from . import text as texts
from .covers import CELL
from .dialling import digits_of
from .placeholders import carries
from .plans import numbering_plan as plan
from .reader import read_number
from .values import Number, ReasonCode, Validity

LOOKALIKES = {"O": "0", "o": "0", "l": "1", "I": "1", "i": "1", "|": "1", "S": "5", "s": "5", "B": "8"}
"""Letters that are read, or typed, for digits."""

_LETTERS = str.maketrans(LOOKALIKES)
_SIGNS = re.compile(r"[0-9OoliI|SsB+() ./\-]+")
_PLUS = re.compile(r"(?P<head>[ (]*(?:\+|00|011) ?)(?P<rest>.*)", re.DOTALL)

_MOST_SIGNS = 40
_FEWEST_DIGITS, _MOST_DIGITS = 7, 17

# So many digits may be a number whose plus was left out. Where no country is known it takes more of them: Chinese and
# Russian numbers have eleven at home, and read with a plus they belong to somebody in America or Vietnam.
_INTERNATIONAL, _INTERNATIONAL_ANYWHERE = 11, 12
_LONGEST_CODE = 3


def suggest_number(raw: str, region: str | None) -> str | None:
    """Return the E.164 number that a text was probably meant to be; None where it is one, or nobody can tell.

    ``region`` is the ISO 3166 region of a national number. A number that took a repair to read is suggested as it was
    read, and so is the only number that an uncertain text may be. Raises nothing.
    """
    suggested = _suggest(raw, region)
    return suggested if suggested and _is_typed(raw, suggested) else None


def _suggest(raw: str, region: str | None) -> str | None:
    number = read_number(raw, region)
    if number.validity is Validity.VALID:
        return number.e164 if number.repairs and not number.others else None
    if number.reason is ReasonCode.MASKED:
        return None
    likely = [key for key in number.covers if not key.startswith(CELL)] if number.reason is ReasonCode.AMBIGUOUS else []
    if likely:
        return likely[0] if len(likely) == 1 else None

    cleaned = texts.clean(raw)[0].strip() if len(raw) <= _MOST_SIGNS else ""
    digits = digits_of(cleaned.translate(_LETTERS))
    if not _SIGNS.fullmatch(cleaned) or not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
        return None
    for mistakes in _KINDS if number.reason is not ReasonCode.AMBIGUOUS else _KINDS[:1]:
        found = {each for corrected in mistakes(cleaned, region) if (each := _read(corrected, region)) is not None}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _is_typed(raw: str, suggested: str) -> bool:
    """Return whether every digit was typed, or stands for a sign that was, but for the calling code of a region.

    So letters are no keys of the keypad here, and no digit is added that a plan has put in since.
    """
    digits = suggested[1:].removeprefix(plan.leading_calling_code(suggested[1:]))
    typed = digits_of(texts.clean(raw)[0].translate(_LETTERS))
    return not Counter(digits) - Counter(typed)


def _read(corrected: str, region: str | None) -> str | None:
    """Return the number that a corrected text is, where it took no further repair to read it."""
    number: Number = read_number(corrected, region)
    plain = number.validity is Validity.VALID and not (number.repairs or number.others or number.extension)
    return number.e164 if plain and number.e164 and carries(number.e164) else None


def _wrong_signs(text: str, region: str | None) -> Iterator[str]:
    fixed = text.translate(_LETTERS)
    if fixed != text:
        yield fixed
        return
    match = _PLUS.fullmatch(text)
    if match is None:
        digits = digits_of(text)
        if len(digits) >= (_INTERNATIONAL if region else _INTERNATIONAL_ANYWHERE):
            yield "+" + digits
        return
    digits = digits_of(match["rest"])
    yield from (f"+{each}" for each in (*_with_single_code(digits), *_with_turned_code(digits)))


def _with_single_code(digits: str) -> Iterator[str]:
    """Yield the digits without the calling code that stands twice at their beginning."""
    for length in range(1, _LONGEST_CODE + 1):
        code = digits[:length]
        if plan.is_calling_code(code) and digits[length:].startswith(code):
            yield digits[length:]


def _with_turned_code(digits: str) -> Iterator[str]:
    """Yield the digits with two neighbours of the calling code in the other order, where that is a calling code."""
    for place in range(_LONGEST_CODE - 1):
        turned = digits[:place] + digits[place : place + 2][::-1] + digits[place + 2 :]
        code = plan.leading_calling_code(turned)
        if turned != digits and code and place + 2 <= len(code):
            yield turned


def _pressed_twice(text: str, _region: str | None) -> Iterable[str]:
    return {text[:place] + text[place + 1 :] for place in range(1, len(text)) if _is_double(text, place)}


def _is_double(text: str, place: int) -> bool:
    return text[place].isdigit() and text[place] == text[place - 1]


def _one_too_many(text: str, _region: str | None) -> Iterable[str]:
    return {text[:place] + text[place + 1 :] for place in range(len(text)) if text[place].isdigit()}


_KINDS: tuple[Callable[[str, str | None], Iterable[str]], ...] = (_wrong_signs, _pressed_twice, _one_too_many)
