"""``ringfence runs list`` and ``runs show``: every run, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from ringfence.core.errors import UsageError
from ringfence.core.model.values import Outcome
from ringfence.core.state.run_history import Run

from ..operations.audit import enter_reveal
from ..operations.history import RunReview, Selection, open_history, select_changes
from ..pages.new_file import refuse_existing
from ..pages.plan_document import describe_review
from ..pages.rows import Rows, link_records
from ..pages.table import write_table
from ..registry import crm_plugins
from .door import open_door
from .json_stream import write_document
from .options import Csv, Force, Json, Reveal, Verbose
from .output import output
from .run_text import say_changes, say_run, say_title
from .run_words import list_row, run_as_json
from .start import begin_wired

ON_A_PAGE = 20
"""Changes that are shown unless told."""

IN_A_DOCUMENT = 1000
"""Changes that stand in the document of a run of which no changes were asked for."""


def list_(
    most: Annotated[int, typer.Option("--limit", metavar="N", help="How many of the latest runs.")] = 20,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """List the latest runs, newest first, one a line. The last column is enough of the id for `runs show`."""
    wiring = begin_wired(json=json, verbose=verbose)
    if most < 1:
        raise UsageError(f"--limit {most} would list no run.", "Give 1 or more.")
    with open_history(wiring) as history:
        found = history.latest(most)

    output.document({"runs": [run_as_json(run) for run in found]})
    if not found:
        output.say("No run yet.")
    columns = ["when (UTC)", "what", "ended", "read", "written", "run"]
    output.table("", columns, [list_row(run) for run in found], right=(3, 4), whole=len(columns))
    return 0


def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or the beginning or end of it.")],
    changes: Annotated[bool, typer.Option("--changes", help="The changes, with what became of each.")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Only the rows that the CRM did not take.")] = False,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="Only the rows that somebody changed, merged or deleted meanwhile.")
    ] = False,
    object_name: Annotated[
        str | None, typer.Option("--object", metavar="NAME", help="Only changes of this object, such as Contact.")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status", metavar="S", help="Only changes to this status, such as invalid; or with this outcome."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="How many changes; 20 unless told, with --json all.")
    ] = None,
    csv: Csv = None,
    reveal: Reveal = False,
    force: Force = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show what a run did, on one page: counts, what the CRM refused and why, cost, and the way back.

    With --changes, --refused, --conflicts, --object or --status it lists changes instead. Numbers are masked unless
    --reveal.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} would show no change.", "Give 1 or more.")
    refuse_existing(csv, force=force)
    wanted = {Outcome.REFUSED: refused, Outcome.CONFLICT: conflicts}
    outcomes = frozenset(outcome for outcome, is_wanted in wanted.items() if is_wanted)
    selection = select_changes(outcomes=outcomes, object_name=object_name, status=status)

    with open_history(wiring) as history:
        found = history.find(run_id)
        if reveal:
            enter_reveal(wiring, open_door(), f"run {found.run.id}")
        rows = _rows_of(found.run, found, reveal=reveal)
        if csv is not None:
            picked = ((row.change, row.result) for row in found.rows(selection))
            count = write_table(csv, picked, rows, with_results=True, force=force)
            output.note(f"{csv}: {count:,} rows{'' if reveal else ', numbers masked'}", style=None)

        if changes or selection != Selection():
            _show_selected(found, rows, selection, limit)
        elif output.json:
            listed = islice(_changes(found, rows, selection), limit or IN_A_DOCUMENT)
            write_document(_document(found, rows), {"changes": listed})
        else:
            say_run(found, rows)
    return 0


def _rows_of(run: Run, found: RunReview, *, reveal: bool) -> Rows:
    plugin = crm_plugins().get(run.system)
    return Rows(found.roles, link_records(plugin.link if plugin else None, run.address), reveal)


def _document(found: RunReview, rows: Rows) -> dict[str, Any]:
    """Return the run as JSON values; where it left no summary, with what its journal tells in place of one."""
    told = None if found.run.summary is not None else describe_review(found.review(), rows)
    return {**run_as_json(found.run), "undone_by": found.undone_by, "review": told}


def _show_selected(found: RunReview, rows: Rows, selection: Selection, limit: int | None) -> None:
    """Print the wanted changes; as JSON all of them, for a person not more than fit on a page unless told."""
    listed = _changes(found, rows, selection)
    if output.json:
        head = {**run_as_json(found.run), "undone_by": found.undone_by}
        write_document(head, {"changes": islice(listed, limit)})
        return

    say_title(found.run)
    most = limit or ON_A_PAGE
    shown = list(islice(listed, most + 1)) if most <= IN_A_DOCUMENT else islice(listed, most)
    if isinstance(shown, list):
        if not shown:
            output.say("No change of this run fits.")
        say_changes(shown[:most])
        if len(shown) > most:
            output.say(f"These are the first {most:,}. More: --limit N, or all of them: --csv FILE", style="dim")
    else:
        say_changes(shown)


def _changes(found: RunReview, rows: Rows, selection: Selection) -> Iterator[dict[str, Any]]:
    listed: Iterable[dict[str, Any]] = (rows.change(row.change, row.result) for row in found.rows(selection))
    if Outcome.CONFLICT in selection.outcomes and selection.status is None:
        return _with_conflicts_before_writing(listed, found.run, rows, selection)
    return iter(listed)


def _with_conflicts_before_writing(
    changes: Iterable[dict[str, Any]], run: Run, rows: Rows, selection: Selection
) -> Iterator[dict[str, Any]]:
    """Yield the changes, and after them records that were gone before there was a change; the summary names some."""
    seen = set()
    for change in changes:
        seen.add((change["object"], change["id"]))
        yield change

    listed = (run.summary or {}).get("conflicts", [])
    for row in listed if isinstance(listed, list) else ():  # an undo counts them
        key = (row["object"], row["id"])
        if key not in seen and selection.object_name in (None, row["object"]):
            yield {**row, "link": rows.link(*key), "kinds": [], "fields": {}, "outcome": Outcome.CONFLICT.value}
