"""``ringfence explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.core.errors import UsageError

from ..words import Meaning, all_words, find_meanings, find_near, read_sections
from .begin import begin
from .options import Json, Verbose
from .output import output


def explain(
    word: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]", help="A status, reason, count, exit code: whatever it said.")
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Explain a word that ringfence has said, or list them all.

    Statuses, reasons, why a slot is due or a record skipped or waiting, counts, exit codes, ends of runs. A word of
    several kinds is explained once for each.
    """
    begin(json=json, verbose=verbose)
    if not word:
        _show_all()
        return 0

    asked = " ".join(word)
    found = find_meanings(asked)
    if not found:
        near = find_near(asked)
        offer = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UsageError(f"{asked!r} is no word of ringfence.{offer}", "`ringfence explain` lists them all.")

    output.document({"word": found[0].word, "meanings": [meaning._asdict() for meaning in found]})
    for meaning in found:
        _show(meaning)
    return 0


def _show(meaning: Meaning) -> None:
    output.say(f"{meaning.word} ({meaning.kind})", style="bold")
    for text in filter(None, (meaning.means, meaning.then)):
        output.say(f"  {text}")


def _show_all() -> None:
    output.document({"words": [meaning._asdict() for meaning in all_words()]})
    for section in read_sections():
        output.say(f"\n{section.title}", style="bold")
        output.say(section.about)
        output.table("", ["word", "meaning"], [[meaning.word, meaning.means] for meaning in section.words])
