"""Masks numbers, so that a text may be shown: in logs, messages, previews and the history.

A number in E.164 that is long enough keeps the form `+1415***2671` (docs/contract.md, section 4). Of everything else a
reader sees its calling code at most, where a plus names it, and its last two digits. Letters of a phone field are
hidden like digits, because a keypad turns them into some.
"""

import re

from .plans.numbering_plan import leading_calling_code
from .text import clean
from .traps import from_keypad

_LONG_E164 = re.compile(r"\+[1-9]\d{10,14}", re.ASCII)
"""What is shown by its first and last four digits: of 11 digits or more three at least are hidden."""

# As many digits as an area code, and a word behind them: 800-FLOWERS anywhere in a text.
_WORD_BEHIND_DIGITS = re.compile(r"\d{3}[\s().-]*[A-Za-z]{4}")
_FEW_DIGITS = 3
_TAIL = 2

_TIME = r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_STAYS = (
    rf"(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d){_TIME}"  # a moment
    rf"|(?:[0-3]?\d[./][01]?\d|[01]?\d/[0-3]?\d)[./](?:19|20)\d\d(?![\s().\-/]{{0,3}}\d{{3}}){_TIME}"  # likewise
    r"|\d{8}-\d{6}-[0-9a-f]+"  # the id of a run
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID, such as HubSpot's correlation id
    r"|(?<![Cc]aller )(?i:ids?|vid|objectid|recordid)\W{1,4}\d{1,20}(?![\s().\-/]{0,3}\d)"  # an id by its own word
)
_DIGITS = r"(?:%2[Bb]|\+|\()?\d(?:[\s().\-/\u2010-\u2015]{0,3}\d){6,}(?:\s*(?:x|ext\.?|#)\s*\d{1,6})?"
_SPELLED = (
    r"(?:\+?1-)?\d{3}-(?=[A-Z\d-]*[A-Z]{4})[A-Z\d-]{5,}"
    r"|\+?1[-. ]\(?\d{3}\)?[-. ](?=[A-Za-z\d-]*[A-Za-z]{4})[A-Za-z\d-]{5,}"
)
_NUMBER = re.compile(rf"(?<!\w)(?<!\d\.)(?:(?P<stays>{_STAYS})|{_SPELLED}|{_DIGITS})(?!\w)")
_MOMENT_OR_ID = re.compile(_STAYS)


def mask(number: str) -> str:
    """Return a number as it may stand in logs and messages: `+1415***2671` for one in E.164, else `+44***18`, `***71`.

    Takes any text. At least three digits are hidden; a text of up to three is hidden as a whole.
    """
    if _LONG_E164.fullmatch(number):
        return f"{number[:5]}***{number[-4:]}"

    digits = "".join(character for character in number if character.isdecimal())
    plus = "+" if number.lstrip().startswith("+") else ""
    tail = max(0, min(_TAIL, len(digits) - _FEW_DIGITS))
    code = leading_calling_code(digits) if plus and digits.isascii() else ""
    if len(digits) < len(code) + _FEW_DIGITS + tail:
        code = ""
    return f"{plus}{code}***{digits[len(digits) - tail :]}"


def mask_text(value: str) -> str:
    """Return the content of a field with the number in it masked, also one that is spelled with letters.

    A text with three digits or fewer holds no number and stays as it is; so does one that is a date, a moment or an id
    and nothing else.
    """
    if _MOMENT_OR_ID.fullmatch(value):
        return value
    if sum(character.isdigit() for character in value) > _FEW_DIGITS:
        return mask(value)
    text, _ = clean(value)
    return mask(value) if _WORD_BEHIND_DIGITS.search(text) or from_keypad(text) else value


def mask_numbers(text: str) -> str:
    """Return a sentence with everything in it masked that could be a phone number.

    Dates, moments, ids of runs, UUIDs, and digits that the word id stands in front of stay readable.
    """
    return _NUMBER.sub(lambda found: found[0] if found["stays"] else mask(found[0]), text)
