"""The command line as a door to the operations: it asks on the terminal and shows progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from ringfence.core.errors import CostError, ErrorCode, UsageError
from ringfence.core.screening.prices import describe_cost

from ..operations.door import (
    BuyForFile,
    BuyLookups,
    CreateFields,
    Door,
    EraseNumber,
    ForgetAccount,
    LiftNumber,
    Question,
    RemoveFields,
    Rescreen,
    TakeBack,
)
from ..operations.first_write import FirstWrite
from ..printable import printable
from ..remedies import explain, word
from ..worker.standing import is_workers_job
from .author import find_author
from .first_write import ask_about_first_write
from .lift_text import describe_lift
from .output import output
from .progress import RunProgress
from .termination import termination

if TYPE_CHECKING:
    from ringfence.core.runs.summary import Summary


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
        warn=lambda warning: output.note(warning, style="yellow"),
        unattended=is_workers_job(),
        author=find_author(),
    )


def _agree(question: Question) -> None:
    """Answer yes, but for what costs money that nobody has agreed to, and still say what it will cost."""
    if isinstance(question, BuyLookups | Rescreen):
        _ask(question, yes=True)


def _ask(question: Question, *, yes: bool = False) -> None:
    """Ask on the terminal. Raises UsageError where there is none, or when the answer is no.

    ``yes`` answers what costs nothing beyond a cap.
    """
    match question:
        case FirstWrite():
            ask_about_first_write(question, is_terminal=_is_terminal())
        case Rescreen(_, cost, capped, agreed):
            _say_cost(question)
            if agreed or not cost.planned.lookups:
                return
            if not capped:
                _ask_about_cost(BuyLookups(cost.planned.lookups, _money(cost)))
            elif not yes:
                _ask_person("Go on?", "Rescreening would buy lookups.")
        case BuyLookups():
            _ask_about_cost(question)
        case BuyForFile(lookups, cost, capped):
            output.note(f"about {lookups:,} numbers may be looked up, for {cost} at most", style=None)
            if not capped and _is_terminal():
                _ask_person("Go on?", "")
        case EraseNumber(number, records):
            if _is_terminal():
                _ask_person(f"Erase {number} for good? {records:,} records in CRMs stay as they are.", "")
        case LiftNumber():
            _ask_about_lift(question)
        case _:
            _ask_about_change(question)


def _ask_about_change(question: TakeBack | ForgetAccount | CreateFields | RemoveFields) -> None:
    """Ask whether something may be made, taken back or taken away; --yes answers it."""
    match question:
        case TakeBack(org, run):
            _ask_person(f"Take back run {run.id} in {org.name}?", f"{org.name} is a production org.")
        case ForgetAccount(account, loss):
            _ask_person(
                f"Forget {account.text}? Opt-outs of {loss.covered:,} numbers will cover nothing any more, "
                f"{loss.only_here:,} of which came from here alone.",
                f"Forgetting {account.text} takes the opt-outs of {loss.covered:,} numbers away.",
            )
        case CreateFields(org, steps):
            _ask_person(
                f"{org.name} is a production org. Create these {len(steps)}?", f"{org.name} is a production org."
            )
        case RemoveFields(org, removal):
            held = " with what the records hold in them" if any(removal.records.values()) or removal.opt_outs else ""
            _ask_person(
                f"Take these {len(removal.steps)} out of {org.name}{held}?",
                f"{len(removal.steps)} would be taken out of {org.name}.",
            )


def _ask_about_lift(question: LiftNumber) -> None:
    """Show what a lift would do, and ask whether it may. Raises what has ended the preview."""
    without_terminal = f"Lifting {question.number} would lower flags in the CRMs."
    if not _is_terminal():
        _ask_person("", without_terminal)
    found = question.preview()
    if found.error is not None:
        raise found.error
    for line in describe_lift(found):
        output.note(line, style=None)
    _ask_person(f"Lift {question.number}?", without_terminal)


def _say_cost(question: Rescreen) -> None:
    cost = question.cost
    output.note(
        f"Rescreening covers {cost.total('due'):,} records of {question.org.name}: "
        f"{cost.planned.lookups:,} lookups to buy for {_money(cost)} at most, "
        f"{cost.lookup_cache_hits:,} answers still fresh, {cost.total('written'):,} records to write.",
        style=None,
    )


def _money(cost: Summary) -> str:
    return describe_cost(cost.planned.cost, cost.currency)


def _ask_about_cost(question: BuyLookups) -> None:
    """Ask whether lookups may be bought. Raises CostError where there is no terminal to ask on."""
    if not _is_terminal():
        raise CostError(question.lookups, question.cost, code=ErrorCode.LOOKUPS_NOT_AGREED)
    _ask_person(f"Look up {question.lookups:,} numbers, for {question.cost} at most?", "")


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and output.err.is_terminal


def _ask_person(question: str, without_terminal: str) -> None:
    if not _is_terminal():
        raise UsageError(without_terminal, "Pass --yes to go on without a question.")
    if not typer.confirm(printable(question), err=True):
        raise UsageError("Nothing was done.", "")
