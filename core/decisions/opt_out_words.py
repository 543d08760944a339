"""What somebody asks for in a text message, by its words alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..config.opt_out_words import OptOutWordFile, plain
from ..model.signals import OptOutWord

_MOST = 2_000  # characters that are looked at: a text message of ten parts has 1,530
_SHORTEST_MISTYPED = 4
_SPACELESS = 0x2E80
"""From here on scripts follow that put no spaces between words, such as Chinese and Japanese."""


@dataclass(frozen=True, slots=True)
class OptOutWords:
    """The words of all languages together, as :func:`ringfence.core.config.opt_out_words.plain` writes them."""

    stop: frozenset[str]
    start: frozenset[str]
    near_stop: frozenset[str]
    near_wrong_number: frozenset[str]

    @classmethod
    def of(cls, file: OptOutWordFile) -> OptOutWords:
        """Return the words of a file."""
        return cls(*map(file.list_all, ("stop", "start", "near_stop", "near_wrong_number")))

    def recognise(self, text: str) -> OptOutWord | None:
        """Return what a message asks for; None where it asks for nothing that is known here.

        It is exactly a STOP or a START where nothing but the word stands there. Whatever may be meant as a STOP is a
        near one, an exact START aside: a person decides about it.
        """
        said = plain(text[:_MOST])
        if not said:
            return None
        if said in self.stop:
            return OptOutWord.STOP
        if said in self.start:
            return OptOutWord.START
        if _holds_any(said, self.near_stop) or self._is_mistyped(said):
            return OptOutWord.NEAR_STOP
        return OptOutWord.NEAR_WRONG_NUMBER if _holds_any(said, self.near_wrong_number) else None

    def _is_mistyped(self, said: str) -> bool:
        """Return whether one word is a STOP with two letters exchanged, one too many, or something between them."""
        words = said.split()
        if len(words) == len(said.replace(" ", "")):  # each letter is a word of its own
            return "".join(words) in self.stop
        if len(words) > 1 or len(said) < _SHORTEST_MISTYPED:
            return False
        return any(each in self.stop for each in _spelled_otherwise(said))


def _holds_any(said: str, words: Iterable[str]) -> bool:
    spaced = f" {said} "
    return any(word in said if ord(word[0]) >= _SPACELESS else f" {word} " in spaced for word in words)


def _spelled_otherwise(word: str) -> Iterator[str]:
    for place in range(len(word) - 1):
        first, second = word[place], word[place + 1]
        if first == second:
            yield word[:place] + word[place + 1 :]
        else:
            yield word[:place] + second + first + word[place + 2 :]
