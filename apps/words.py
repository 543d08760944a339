"""The words that ringfence says, and what they mean: read from ``words.yaml``, asked by a command and by a page."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import yaml

_EXIT_CODE = re.compile(r"exit_(?:code_)?(?=\d)")
_PREFIX = re.compile(r"(?<=read_)\d+(?=_as_\+)|(?<=dropped_)\d+(?=_after)")
"""Digits of an exit prefix within a repair, which differ by country."""


class Meaning(NamedTuple):
    """What a word means as a word of its kind, and what follows from it (empty: nothing)."""

    word: str
    kind: str
    means: str
    then: str


class Section(NamedTuple):
    """The words of one kind, in the order in which they are told."""

    kind: str
    title: str
    about: str
    words: Sequence[Meaning]


@cache
def read_sections() -> Sequence[Section]:
    """Return all words by kind."""
    content = yaml.safe_load(resources.files("ringfence.apps").joinpath("words.yaml").read_text("utf-8"))
    return tuple(map(_section, content))


def all_words() -> list[Meaning]:
    """Return every word with its meaning; one of several kinds comes several times."""
    return [meaning for section in read_sections() for meaning in section.words]


def find_meanings(text: str) -> list[Meaning]:
    """Return what a word means, once for each kind in which it occurs; none where it is no word of ours.

    It may be spelled with blanks or hyphens, in any case, be a whole reason, or an exit code as in ``exit code 4``.
    """
    wanted = _spell(text)
    found = [meaning for meaning in all_words() if _spell(meaning.word) == wanted]
    return found if found or ":" not in text else find_meanings(text.partition(":")[0])


def find_near(text: str) -> list[str]:
    """Return the words that are spelled much like this one, the nearest first, three at most."""
    by_spelling = {_spell(meaning.word): meaning.word for meaning in all_words()}
    return [by_spelling[each] for each in difflib.get_close_matches(_spell(text), by_spelling, n=3, cutoff=0.7)]


def render_page() -> str:
    """Return the page for people: every word by its kind, as Markdown."""
    parts = [_INTRODUCTION]
    for section in read_sections():
        rows = "".join(f"| `{each.word}` | {' '.join(filter(None, each[2:]))} |\n" for each in section.words)
        parts.append(f"## {section.title}\n\n{section.about}\n\n| word | meaning |\n|---|---|\n{rows}")
    return "\n".join(parts)


_INTRODUCTION = """# Words

What ringfence says in the CRM, on the screen and in JSON, and what each word means. `ringfence explain WORD` tells the
same on the command line, with `--json` as a document. A test keeps the list complete. The ideas behind the words stand
in the [glossary](glossary.md).
"""


def _section(content: dict[str, Any]) -> Section:
    words = [_meaning(str(word), content["kind"], said) for word, said in content["words"].items()]
    return Section(content["kind"], content["title"], content["about"], words)


def _meaning(word: str, kind: str, said: str | dict[str, str]) -> Meaning:
    if isinstance(said, str):
        return Meaning(word, kind, said, "")
    return Meaning(word, kind, said["means"], said.get("then", ""))


def _spell(text: str) -> str:
    """Return a word as it is compared."""
    bare = re.sub(r"[\s_-]+", "_", text.strip(" \t`'\"").casefold())
    return _PREFIX.sub("00", _EXIT_CODE.sub("", bare))
