"""Digits of which only the first ones are known, and the tests that can be decided all the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from phonenumbers import PhoneMetadata

from .codes import general_range
from .metadata import general
from .patterns import UnsupportedPatternError

# A digit that `\d` takes and nothing else does, and a letter that stands for every digit.
_SOME_DIGIT, _EACH_DIGIT = "\u0660", "x"
_TAKES_DIGIT = re.compile(r"\{[^}]*\}|\\d|\[[^]]*\]|[0-9]")
_RULE = re.compile(r"(?P<text>[0-9]*)\\(?P<group>[1-9])")


class UndecidedError(Exception):
    """The known digits do not decide: one more is needed."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits of which the first ones are known, and how many come after these."""

    known: str
    unknown: int

    def __len__(self) -> int:
        return len(self.known) + self.unknown

    def starts_with(self, text: str) -> bool:
        """Return whether the digits start with a text. Raises UndecidedError."""
        if len(self) < len(text) or not text.startswith(self.known[: len(text)]):
            return False
        if len(self.known) < len(text):
            raise UndecidedError
        return True

    def without(self, count: int) -> Digits:
        """Return the digits without so many first ones. Raises UndecidedError."""
        if count > len(self.known):
            raise UndecidedError
        return Digits(self.known[count:], self.unknown)

    def match(self, pattern: str) -> re.Match[str] | None:
        """Return the match of a pattern at the start of the digits, or None, whatever the unknown digits are.

        Raises UndecidedError where the unknown digits make a difference.
        """
        surely, perhaps = _compile(pattern)
        found = perhaps.match(self.known + _EACH_DIGIT * self.unknown)
        if found is None:
            return None
        sure = surely.match(self.known + _SOME_DIGIT * self.unknown)
        if sure is None or sure.regs != found.regs:
            raise UndecidedError
        return sure

    def rewrite(self, match: re.Match[str], rule: str) -> Digits:
        """Return the digits with a match at their start replaced by a rule such as `9\\1`.

        Raises UnsupportedPatternError for a rule of another form, and UndecidedError.
        """
        form = _RULE.fullmatch(rule)
        if form is None:
            raise UnsupportedPatternError(rule)
        start, end = match.span(int(form["group"]))
        tail = self.without(start if end == match.end() else match.end())
        between = "" if end == match.end() else self.known[start:end]
        return Digits(form["text"] + between + tail.known, tail.unknown)

    def fit(self, plan: PhoneMetadata) -> bool:
        """Return whether the digits match the general description of the plan. Raises UndecidedError."""
        pattern = general(plan).national_number_pattern
        if not pattern:
            return False
        node = general_range(pattern, len(self))
        for digit in self.known:
            if node is True or node is False:
                break
            node = node[digit]
        if isinstance(node, dict):
            raise UndecidedError
        return bool(node)


@cache
def _compile(pattern: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern twice: as it is, and so that the letter for every digit fits wherever some digit fits."""
    return re.compile(pattern), re.compile(_TAKES_DIGIT.sub(_admit, pattern))


def _admit(match: re.Match[str]) -> str:
    """Return a part of a pattern that takes digits, so that it takes the letter for every digit too."""
    taken = match[0]
    if taken.startswith("{"):
        return taken
    return f"[{taken.strip('[]')}{_EACH_DIGIT}]"
