"""The words of ``words.yaml``, by which headers and cells are understood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BREAKS = re.compile(r"[\W_]+|(?<=\D)(?=\d)")
_APOSTROPHE = re.compile(r"(?<=n)['’‘ʼ`´′]\s?(?=t\b)")  # noqa: RUF001 - what people type for an apostrophe
_SPACELESS = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
_GAP = "..."
_LONGEST_HEADER = 120


@lru_cache(maxsize=4096)
def split_words(text: str) -> str:
    """Return a text as lower-case words without accents: ``MobilePhone_2`` as ``mobile phone 2``."""
    spaced = _APOSTROPHE.sub("", _CAMEL.sub(" ", text).casefold())
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(mark))
    return " ".join(_BREAKS.sub(" ", unicodedata.normalize("NFC", bare)).split())


def names(meaning: str, header: str) -> bool:
    """Return whether a header holds a phrase of that list of ``words.yaml``. Raises KeyError for an unknown list.

    A longer text than any header is none.
    """
    return len(header) <= _LONGEST_HEADER and _names(meaning, header)


@lru_cache(maxsize=4096)
def _names(meaning: str, header: str) -> bool:
    text = split_words(header)
    return _phrases(meaning).may_begin(text) and _phrases(meaning).pattern.search(text) is not None


@lru_cache(maxsize=4096)
def without(meaning: str, header: str) -> str:
    """Return the words of a header less the phrases of that list of ``words.yaml``."""
    text = split_words(header[: _LONGEST_HEADER + 1])
    return _phrases(meaning).pattern.sub("", text) if _phrases(meaning).may_begin(text) else header


@lru_cache(maxsize=4096)
def says(meaning: str, cell: str) -> bool:
    """Return whether a cell as a whole is one of the words under ``values`` of that name in ``words.yaml``."""
    return len(cell) <= _LONGEST_HEADER and _key(cell) in _values(meaning)


@cache
def _lists() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("words.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def _values(meaning: str) -> frozenset[str]:
    return frozenset(map(_key, _lists()["values"][meaning]))


@dataclass(frozen=True, slots=True)
class _Phrases:
    """The phrases of a list as one pattern, and the words that they begin with, which rule most headers out at once."""

    pattern: re.Pattern[str]
    words: frozenset[str]
    stems: tuple[str, ...]

    def may_begin(self, text: str) -> bool:
        """Return whether a phrase may begin somewhere in a header of these words."""
        if _SPACELESS.search(text):
            return True
        return any(word in self.words or word.startswith(self.stems) for word in text.split())


@cache
def _phrases(meaning: str) -> _Phrases:
    phrases: list[str] = _lists()[meaning]
    firsts = [word for phrase in phrases for word in phrase.removeprefix("= ").split()[0].split("|")]
    return _Phrases(
        pattern=re.compile("|".join(map(_compile, phrases))),
        words=frozenset(split_words(word).partition(" ")[0] for word in firsts if not word.endswith("*")),
        stems=tuple(split_words(word).partition(" ")[0] for word in firsts if word.endswith("*")),
    )


def _key(cell: str) -> str:
    """Return a cell's text without case, accents, outer punctuation, invisible signs and kinds of spaces."""
    text = " ".join(unicodedata.normalize("NFKC", cell.translate(_INVISIBLE)).casefold().split())
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    words = re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", bare)).strip(" .,!;:'\"")
    return words or text


def _compile(phrase: str) -> str:
    """Return the pattern of a phrase over the words of a header."""
    whole = phrase.startswith("= ")
    if _SPACELESS.search(phrase):
        text = re.escape(split_words(phrase))
        return rf"\A{text}\Z" if whole else text

    words = (phrase[2:] if whole else phrase).split()
    pattern = "".join(_join(words))
    return rf"\A{pattern}\Z" if whole else rf"(?<!\S){pattern}(?!\S)"


def _join(words: Sequence[str]) -> Iterable[str]:
    """Yield the patterns of the words and of what stands between them."""
    between = ""
    for word in words:
        if word == _GAP:
            between = r"(?: \S+){0,3} "
            continue
        yield between + _alternatives(word)
        between = " "


def _alternatives(word: str) -> str:
    choices = [
        re.escape(split_words(choice)) + (r"\S*" if choice.endswith("*") else "")
        for choice in word.split("|")
        if split_words(choice)
    ]
    return f"(?:{'|'.join(choices)})"
