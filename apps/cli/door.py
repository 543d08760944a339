"""The command line as a door to the operations: it asks on the terminal and shows progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from ringfence.core.errors import UsageError

from ..operations import CreateFields, Door, FirstWrite, Question, Rescreen, TakeBack
from ..printable import printable
from ..remedies import explain, word
from .output import output
from .progress import RunProgress
from .termination import termination


def open_door(*, yes: bool = False, began: Callable[[Any], None] = lambda _summary: None) -> Door:
    """Return the door that a command hands to an operation; with ``yes`` every question counts as answered.

    ``began`` is called with the summary of a run that has begun.
    """
    return Door(
        confirm=_agree if yes else _ask,
        progress=lambda title: RunProgress(output.err, title),
        explain=explain,
        word=word,
        began=began,
        must_end=lambda: termination.asked,
    )


def _agree(question: Question) -> None:
    """Answer yes, and still say what it will cost."""
    if isinstance(question, Rescreen):
        _say_cost(question)


def _ask(question: Question) -> None:
    """Ask on the terminal. Raises UsageError where there is none, or when the answer is no."""
    match question:
        case FirstWrite(org):
            _ask_person(
                f"{org.name} ({org.id}) is a production org, and ringfence has not written to it yet. Go on?",
                f"{org.name} is a production org.",
            )
        case Rescreen(_, cost):
            _say_cost(question)
            if cost.lookups_planned:
                _ask_person("Go on?", "Rescreening would buy lookups.")
        case TakeBack(org, run):
            _ask_person(f"Take back run {run.id} in {org.name}?", f"{org.name} is a production org.")
        case CreateFields(org, steps):
            _ask_person(
                f"{org.name} is a production org. Create these {len(steps)}?", f"{org.name} is a production org."
            )


def _say_cost(question: Rescreen) -> None:
    cost = question.cost
    output.note(
        f"Rescreening covers {cost.total('due'):,} records of {question.org.name}: "
        f"{cost.lookups_planned:,} lookups to buy, {cost.lookup_cache_hits:,} answers still fresh, "
        f"{cost.total('written'):,} records to write.",
        style=None,
    )


def _ask_person(question: str, without_terminal: str) -> None:
    if sys.stdin is None or not (sys.stdin.isatty() and output.err.is_terminal):
        raise UsageError(without_terminal, "Pass --yes to go on without a question.")
    if not typer.confirm(printable(question), err=True):
        raise UsageError("Nothing was done.", "")
