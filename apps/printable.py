"""Text from outside (a CRM, a provider, a file, the environment) as it may stand before a person: as text and no more.

A terminal obeys some of the characters that it is sent: it moves the cursor, renames its window, makes a link, turns
the reading direction round. Whoever may fill in a web form can have such characters stored in a CRM.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

_JOINERS = frozenset("\u200c\u200d")
"""Persian, Hindi and emoji are spelled with these, and they move nothing."""

_OBEYED = frozenset(("Cc", "Cf", "Cs"))
"""Categories of what is no letter or sign: controls, formats such as the bidirectional ones, halves of surrogates."""

_BREAKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def printable(text: str) -> str:
    """Return the text on one line, with every character that a terminal could obey written out, such as ``\\x1b``."""
    return text if text.isprintable() else "".join(map(_shown, text))


def to_json(content: Any, *, ascii_only: bool = False) -> str:
    """Return a value as JSON on one line; in ASCII where it holds what a terminal could obey."""
    text = json.dumps(content, ensure_ascii=ascii_only, default=str)
    return text if text.isprintable() else json.dumps(content, default=str)


def _shown(character: str) -> str:
    if character in _BREAKS:
        return " "
    if character in _JOINERS or unicodedata.category(character) not in _OBEYED:
        return character
    return character.encode("unicode_escape").decode("ascii")
