"""``ringfence review``: what waits for a person's decision."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.core.errors import UsageError
from ringfence.core.model.review_items import Resolution, ReviewReason

from ..operations.deciding import resolve_reviews
from ..operations.reviews import list_reviews, show_review
from .door import open_door
from .exit_codes import DONE
from .moments import read_since
from .options import Json, Verbose
from .output import output
from .review_text import as_item, as_row, as_whole_item, show_item
from .start import begin_wired

DECISIONS = [each.value for each in Resolution if each is not Resolution.ANSWERED]
"""What a person may decide; which of it fits depends on the item."""

review = typer.Typer(help="Numbers that wait for a person's decision, and what was decided.", no_args_is_help=True)


def _read_decision(text: str) -> Resolution:
    if text not in DECISIONS:
        raise typer.BadParameter(f"{text!r} is no decision: give one of {', '.join(DECISIONS)}")
    return Resolution(text)


@review.callback()
def _review() -> None:
    """See what waits for a person's decision, and decide."""


@review.command("list")
def list_(
    reason: Annotated[ReviewReason | None, typer.Option("--reason", help="Only what waits for this reason.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only what waits since this day or moment (UTC).")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", help="How many at most: the oldest.")] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """List what waits, the oldest first.

    `suspect`: calls, messages or lookups speak for a dead line. `silent`: nothing was heard of the number for long.
    `conflict`: lookups contradict each other. `flag_cleared`: an opt-out flag was cleared by hand on an object with
    `opt_out_policy: ratchet`. It goes up again until somebody decides. `near_opt_out`: a text message may ask for
    silence, or comes from somebody whom nobody meant. `ambiguous`: a number is somebody else's, and it was not told on
    which record.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} would list no item.", "Give 1 or more.")
    items = list_reviews(wiring, reason, since=read_since(since), limit=limit)

    output.document({"items": [as_item(shown) for shown in items]})
    columns = ["id", "number", "reason", "since (UTC)", "deadline", "record", "evidence"]
    output.table("", columns, [as_row(shown) for shown in items], right=(0,))
    if not items:
        output.say("Nothing waits for a decision.")
    return DONE


@review.command("show")
def show(
    id_: Annotated[int, typer.Argument(metavar="ID", help="The item, by its id.")],
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show one item: its records, all that is known of its number, and what each decision would do.

    Lookups, calls, messages and earlier decisions come in their order, each with its moment. The number is masked.
    """
    whole = show_review(begin_wired(json=json, verbose=verbose), id_)

    output.document(as_whole_item(whole))
    if not json:
        show_item(whole)
    return DONE


@review.command("resolve")
def resolve(
    decision: Annotated[
        Resolution,
        typer.Option(
            "--as", parser=_read_decision, metavar="|".join(DECISIONS), help="What you decide about the items."
        ),
    ],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, for whoever asks later; it is kept.")],
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="The items, by their ids.")] = None,
    reason: Annotated[
        ReviewReason | None, typer.Option("--reason", help="In place of ids: all that wait for this reason.")
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Decide about items.

    Of `suspect`, `silent` and `conflict`: the line is alive (live) or out of service (dead), which the next sync writes
    and says by whom. Of these, `near_opt_out` and `ambiguous`: the number is blocked (opted_out), it is somebody else's
    on every record that holds it (wrong_person), or it was no such thing (dismiss). Of `flag_cleared`: the opt-out
    stands (opted_out), nothing changes (dismiss), or it has ended (lift), which lowers the flags of every record that
    holds the number, as `suppress lift` does.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = resolve_reviews(wiring, ids or [], decision, note, open_door(), reason=reason)

    second = {"second_person": done.second_person} if done.second_person else {}
    output.document({"resolved": done.items, **second})
    if done.items or not second:
        output.say(f"{done.items:,} item{'' if done.items == 1 else 's'} resolved as {decision.value}")
    if second:
        output.say(
            f"{done.second_person:,} item{'' if done.second_person == 1 else 's'} left open: needs a second person"
        )
    return DONE
