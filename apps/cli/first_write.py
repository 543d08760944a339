"""The question before the first write to a production org, on the terminal, with the numbers of a preview."""

from __future__ import annotations

from dataclasses import replace

import typer

from ringfence.core.errors import UsageError
from ringfence.core.screening.prices import describe_cost

from ..operations.first_write import FirstWrite
from .output import output

_YES, _NO, _PREVIEW = ("y", "yes"), ("", "n", "no"), ("p", "preview")


def ask_about_first_write(question: FirstWrite, *, is_terminal: bool) -> None:
    """Ask whether to go on; ``preview`` as the answer makes one, shows its numbers and asks again.

    Raises UsageError where there is no terminal to ask on, or when the answer is no.
    """
    org = question.org
    if not is_terminal:
        raise UsageError(
            f"{org.name} is a production org, and ringfence has not written to it yet.",
            "Look at a preview (--dry-run), then pass --yes to go on without a question.",
        )

    output.note(f"{org.name} ({org.id}) is a production org, and ringfence has not written to it yet.", style=None)
    while True:
        for line in _tell(question):
            output.note(line, style=None)
        answer = _prompt(offer_preview=question.preview is not None)
        if answer in _YES:
            return
        if answer in _NO:
            raise UsageError("Nothing was done.", "")
        if answer in _PREVIEW and question.preview is not None:
            question = replace(question, figures=question.preview(), preview=None)


def _prompt(*, offer_preview: bool) -> str:
    choices = "y/N/preview" if offer_preview else "y/N"
    answer: str = typer.prompt(f"Go on? [{choices}]", default="", show_default=False, err=True)
    return answer.strip().lower()


def _tell(question: FirstWrite) -> list[str]:
    """Return what a preview says of the sync, a figure a line."""
    figures = question.figures
    if figures is None:
        return [
            "No preview of the last 24 hours says what this does; the answer `preview` makes one, and writes nothing."
        ]

    limit = f" with --limit {figures.limit}" if figures.limit is not None else ""
    lookups = f", for {describe_cost(figures.cost, figures.currency)} at most" if figures.lookups else ""
    return [
        f"By the preview of {figures.made_at:%Y-%m-%d %H:%M} UTC{limit} (run {figures.run_id}):",
        f"  {figures.records:,} records to write",
        f"  {figures.flags_raised:,} opt-out flags to raise",
        f"  {figures.slots_silenced:,} phone fields to mark do_not_contact",
        f"  {figures.phones_rewritten:,} phone fields to rewrite",
        f"  {figures.lookups:,} numbers to look up{lookups}",
        *([f"It ended early: {figures.stopped}"] if figures.stopped else []),
    ]
