"""Masks the number in a text, so that the text may be shown."""

import re

from .text import clean
from .traps import from_keypad
from .values import mask

# As many digits as an area code, and a word behind them: 800-FLOWERS anywhere in a text.
_WORD_BEHIND_DIGITS = re.compile(r"\d{3}[\s().-]*[A-Za-z]{4}")
_FEW_DIGITS = 3


def mask_text(value: str) -> str:
    """Return a text with the number in it masked, also one that is spelled with letters.

    A text with three digits or fewer holds no number and stays as it is.
    """
    if sum(character.isdigit() for character in value) > _FEW_DIGITS:
        return mask(value)
    text, _ = clean(value)
    return mask(value) if _WORD_BEHIND_DIGITS.search(text) or from_keypad(text) else value
