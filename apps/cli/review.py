"""``ringfence review``: what waits for a person's decision."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

import typer

from ringfence.core.model.review_items import Resolution, ReviewReason

from ..operations.reviews import ShownItem, list_reviews, resolve_reviews
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .start import begin_wired

_SHOWN = 3
"""Records of an item in the table; JSON has more."""

review = typer.Typer(help="Numbers that wait for a person's decision, and what was decided.", no_args_is_help=True)


@review.callback()
def _review() -> None:
    """See what waits for a person's decision, and decide."""


@review.command("list")
def list_(
    reason: Annotated[ReviewReason | None, typer.Option("--reason", help="Only what waits for this reason.")] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """List what waits, the oldest first.

    `flag_cleared`: an opt-out flag was cleared by hand on an object with `opt_out_policy: ratchet`. It goes up again
    until somebody decides. `near_opt_out`: a text message may ask for silence, or comes from somebody whom nobody
    meant. `ambiguous`: a number is somebody else's, and it was not told on which record.
    """
    items = list_reviews(begin_wired(json=json, verbose=verbose), reason)

    output.document({"items": [_as_json(shown) for shown in items]})
    rows = [
        [
            str(shown.item.id),
            shown.number,
            shown.item.reason.value,
            _moment(shown),
            str(shown.deadline or ""),
            _list_records(shown),
            shown.item.evidence,
        ]
        for shown in items
    ]
    output.table("", ["id", "number", "reason", "since (UTC)", "deadline", "record", "evidence"], rows, right=(0,))
    if not rows:
        output.say("Nothing waits for a decision.")
    return DONE


@review.command("resolve")
def resolve(
    decision: Annotated[Resolution, typer.Option("--as", help="What you decide; what fits depends on the item.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, for whoever asks later; it is kept.")],
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="The items, by their ids.")] = None,
    reason: Annotated[
        ReviewReason | None, typer.Option("--reason", help="In place of ids: all that wait for this reason.")
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Decide about items.

    Of `flag_cleared`: the opt-out stands (opted_out), nothing changes (dismiss), or it has ended (lift), which lowers
    the flags of every record that holds the number, as `suppress lift` does. Of `near_opt_out` and `ambiguous`: the
    number is blocked (opted_out), it is somebody else's on every record that holds it (wrong_person), or it was no such
    thing (dismiss).
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = resolve_reviews(wiring, ids or [], decision, note, open_door(), reason=reason)

    output.document({"resolved": done})
    output.say(f"{done:,} item{'' if done == 1 else 's'} resolved as {decision.value}")
    return DONE


def _as_json(shown: ShownItem) -> dict[str, Any]:
    item = shown.item
    return {
        "id": item.id,
        "number": shown.number,
        "reason": item.reason.value,
        "since": item.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "deadline": shown.deadline.isoformat() if shown.deadline else None,
        "evidence": item.evidence,
        "channel": item.channel.value,
        "records": [{"crm": each.account, "object": each.object, "id": each.id} for each in shown.records],
    }


def _list_records(shown: ShownItem) -> str:
    first, more = shown.records[:_SHOWN], len(shown.records) - _SHOWN
    return ", ".join([*map(str, first), *([f"and {more:,} more"] if more > 0 else [])])


def _moment(shown: ShownItem) -> str:
    return shown.item.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
