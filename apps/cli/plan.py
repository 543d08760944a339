"""``ringfence plan``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.core.errors import UsageError
from ringfence.core.model.change_view import ChangeView, Kind

from ..operations.audit import enter_reveal
from ..operations.plans import PlanReview, review_plan
from ..pages.new_file import refuse_existing
from ..pages.plan_document import describe_plan
from ..pages.rows import Rows, link_records
from ..pages.table import write_table
from ..registry import crm_plugins
from .door import open_door
from .json_stream import write_document
from .options import Csv, Force, Json, Reveal, Verbose
from .output import output
from .plan_text import say_plan
from .start import begin_wired

ON_A_TERMINAL = 50
"""Rows of each list that a terminal shows unless told; a file or a pipe gets all of them."""

plan = typer.Typer(help="What a plan of `sync --dry-run --out FILE` would do.", no_args_is_help=True)


@plan.command("show")
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The plan that `sync --dry-run --out` wrote.")],
    csv: Csv = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the plan as a page, to hand on or to print.")
    ] = None,
    reveal: Reveal = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="Rows of each list; a terminal shows 50 unless told.")
    ] = None,
    force: Force = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show what a plan would do: flags that go up, phone fields rewritten, numbers called invalid, and the rest.

    Nothing is changed and no CRM is asked. Numbers are masked unless --reveal, in the files too.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if limit is not None and limit < 0:
        raise UsageError(f"--limit {limit} is no number of rows.", "Give 0 or more.")
    refuse_existing(csv, html, force=force)

    review = review_plan(wiring, file)
    if reveal:
        enter_reveal(wiring, open_door(), f"plan {file.name}")
    plugin = crm_plugins().get(review.system)
    rows = Rows(review.roles, link_records(plugin.link if plugin else None, review.plan.head.address), reveal)
    document = describe_plan(review, rows, file)
    lists = PlanLists(review, rows)

    if csv is not None:
        write_table(csv, ((change, None) for change in review.plan.changes()), rows, force=force)
    if html is not None:
        # Imported here because the library of templates takes a while, and most commands need none.
        from ..pages.page import write_page  # noqa: PLC0415

        write_page(html, document, lists.flags, lists.rewrites, force=force)

    if output.json:
        write_document(
            {**document, "csv": _name(csv), "html": _name(html)},
            {"flags": _first(lists.flags(), limit), "phones": _first(lists.rewrites(), limit)},
        )
        return 0

    most = ON_A_TERMINAL if limit is None and output.out.is_terminal else limit
    say_plan(document, _first(lists.flags(), most), _first(lists.rewrites(), most), most)
    for written in filter(None, (csv, html)):
        output.say(f"written: {written}{'' if reveal else ' (numbers masked)'}")
    return 0


class PlanLists:
    """The two lists of a plan that are told in full; each is read from the file when it is asked for."""

    def __init__(self, review: PlanReview, rows: Rows) -> None:
        self._review = review
        self._rows = rows

    def flags(self) -> Iterator[dict[str, Any]]:
        """Yield every flag that goes up."""
        return (self._rows.flag(view) for view in self._views(Kind.FLAG_RAISED) if view.flag)

    def rewrites(self) -> Iterator[dict[str, Any]]:
        """Yield every phone field that is rewritten."""
        return (row for view in self._views(Kind.PHONE_REWRITTEN) for row in self._rows.rewrites(view))

    def _views(self, kind: Kind) -> Iterator[ChangeView]:
        return self._review.views() if self._review.review.kinds[kind] else iter(())


def _first(rows: Iterable[dict[str, Any]], most: int | None) -> Iterator[dict[str, Any]]:
    return islice(rows, most)


def _name(path: Path | None) -> str | None:
    return str(path) if path else None
