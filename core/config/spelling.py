"""Misspelt words, and the known ones that the user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest known word, or nothing."""
    by_fold = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f" (did you mean {by_fold[near[0]]!r}?)" if near else ""


def name_unknown_key(place: Sequence[str], known: Iterable[str]) -> str:
    """Return the message about a key that nothing reads; ``place`` holds the keys that lead to it from the top."""
    return f"{'.'.join(place)}: unknown key {place[-1]!r}{did_you_mean(place[-1], known)}"
