"""``ringfence screen``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.connectors.spreadsheet.batch_screening import ColumnSummary
from ringfence.connectors.spreadsheet.detection import Detection, detect
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.roles import preview_cell
from ringfence.connectors.spreadsheet.screening import Summary as FileSummary
from ringfence.connectors.spreadsheet.target import default_target

from ..operations.file_rehearsal import rehearse_file
from ..operations.file_screening import ScreenedFile, confirm_file_cost, screen_file
from ..operations.regions import home_region
from ..remedies import explain
from .door import open_door
from .exit_codes import DONE, STOPPED
from .options import Json, LookupDryRun, SandboxLedger, Verbose
from .output import output
from .phrases import count
from .rehearsal_text import show_rehearsal
from .render import status_rows
from .start import begin_wired

SHOWN_COLUMNS = 60
SHOWN_TEXTS = 5
LONGEST_CELL = 24


def screen(
    file: Annotated[Path, typer.Argument(help="A CSV file of any dialect and encoding, or an Excel workbook (.xlsx).")],
    target: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Default: NAME.screened.EXT beside the input.")
    ] = None,
    phones: Annotated[
        list[str] | None, typer.Option("--phone", metavar="COLUMN", help="A phone column; detected when not named.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", metavar="COLUMN", help="The country column; detected when not named.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="R", help="Country of national numbers in rows without one.")
    ] = None,
    opt_outs: Annotated[
        list[str] | None,
        typer.Option("--opt-out", metavar="COLUMN", help="A do-not-call column; detected when not named."),
    ] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help="Encoding of a CSV; guessed otherwise.")] = None,
    delimiter: Annotated[str | None, typer.Option("--delimiter", help="Delimiter of a CSV; guessed otherwise.")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook; the first one otherwise.")] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether a row names the columns; detected otherwise."),
    ] = None,
    header_row: Annotated[
        int | None,
        typer.Option("--header-row", metavar="N", help="The row that names the columns, from 1; detected otherwise."),
    ] = None,
    lookups: Annotated[
        bool, typer.Option("--lookups", help="Ask the configured providers too; without it nothing is bought.")
    ] = False,
    sandbox: SandboxLedger = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show what was detected, and stop.")] = False,
    dry_run: LookupDryRun = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output file. Never the input.")] = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Screen the phone numbers of a CSV or Excel file into a new file.

    Every row and cell stays as it is; seven columns per phone column are added: status, reason, E.164, line type,
    screened value, last screened, callable. Numbers of rows that opted out are silenced in the whole file, and so are
    those that opted out in a synced account.
    """
    wiring = begin_wired(json=json, verbose=verbose)

    options = ScreenOptions(
        phones=tuple(phones or ()),
        country=country,
        region=home_region(wiring, region),
        opt_outs=tuple(opt_outs or ()),
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
        header=header,
        header_row=header_row,
        force=force,
    )

    found = detect(file, options)
    _show_detection(found)
    if preview:
        output.document(_detection(found))
        return DONE

    if dry_run:
        show_rehearsal(rehearse_file(wiring, file, options, open_door(), with_providers=lookups, sandbox=sandbox))
        return DONE
    if lookups and wiring.settings.lookup.providers:
        confirm_file_cost(wiring, found.rows * len(found.phones), open_door())
    done = screen_file(
        wiring,
        file,
        target or default_target(file),
        options,
        open_door(),
        with_providers=lookups,
        sandbox=sandbox,
    )
    _show_result(done)
    output.document(_document(done, found))
    return DONE if done.complete else STOPPED


def _show_detection(found: Detection) -> None:
    kind = ", ".join(f"{name} {value!r}" for name, value in found.format.items())
    output.say(f"{found.path}: about {found.rows:,} rows; {kind}", style="bold")
    for note in found.notes:
        output.say(f"  {note}")

    # What is used, or nearly was; of the others nobody reads more than their names.
    told = [role for role in found.roles if role.role or role.why]
    rows = [[role.name, role.role or "not used", role.why, _shorten(", ".join(role.examples))] for role in told]
    output.table("columns; cells masked", ["column", "taken for", "why", "first cells"], rows, whole=0)

    others = [role.name for role in found.roles if not (role.role or role.why)]
    if others:
        more = f", and {len(others) - SHOWN_COLUMNS:,} more" if len(others) > SHOWN_COLUMNS else ""
        output.say(f"{count(len(others), 'column')} not used: {', '.join(map(_shorten, others[:SHOWN_COLUMNS]))}{more}")


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def _show_result(done: ScreenedFile) -> None:
    summary = done.summary
    statuses = sum((column.statuses for column in summary.columns), Counter[str]())
    output.table("\nnumbers screened", ["status", "cells", "share", "callable"], status_rows(statuses), right=(1, 2))

    if summary.repaired:
        output.say(f"{summary.repaired:,} cells gave a number only after a repair, named in their reason.")
    if summary.opted_out_rows:
        unreadable = f" and {summary.opted_out_cells:,} texts that cannot be read" if summary.opted_out_cells else ""
        output.say(f"{summary.opted_out_rows:,} rows opted out, for {summary.opted_out_numbers:,} numbers{unreadable}.")
    if unclear := summary.unclear_opt_outs:
        output.say(
            f"{unclear.total():,} cells of opt-out columns say nothing plainly and were read as opted out: "
            f"{_list_texts(unclear)}.",
            style="yellow",
        )
    _show_regions(summary)
    for note in summary.overlooked:
        output.say(note, style="yellow")

    if done.with_providers:
        output.say(f"lookups bought: {done.lookups:,}; answered from the cache: {done.cache_hits:,}")
    if done.stopped is not None:
        output.say(f"Not complete: {explain(done.stopped)}", style="yellow")
    elif not done.complete:
        output.say("Not complete: lookups failed for now. Run again to go on; nothing is paid twice.", style="yellow")

    rate = summary.rows / max(done.duration_s, 0.001)
    output.say(f"{summary.rows:,} rows to {summary.target} in {done.duration_s:.1f} s ({rate:,.0f} rows/s)")


def _show_regions(summary: FileSummary) -> None:
    if countries := summary.unread_countries:
        output.say(
            f"{countries.total():,} rows have a country that cannot be read, so that national numbers in them are "
            f"unknown: {_list_texts(countries)}.",
            style="yellow",
        )
    if summary.no_region:
        output.say(
            f"{summary.no_region:,} of the unknown cells are national numbers of an unknown country. Name the country "
            "with --region, as in --region US, or its column with --country; for all, set RINGFENCE_DEFAULT_REGION.",
            style="yellow",
        )


def _list_texts(counts: Counter[str]) -> str:
    """Return the commonest texts of cells with their counts, numbers masked."""
    shown = [f"{preview_cell(text)!r} ({count:,})" for text, count in counts.most_common(SHOWN_TEXTS) if text]
    more = counts.total() - sum(count for text, count in counts.most_common(SHOWN_TEXTS) if text)
    return ", ".join(shown) + (f" and {more:,} others" if more else "")


def _document(done: ScreenedFile, found: Detection) -> dict[str, Any]:
    summary = done.summary
    columns = {
        name: {
            "statuses": dict(column.statuses),
            "empty": column.empty,
            "deferred": column.deferred,
            "repaired": column.repaired,
            "no_region": column.no_region,
        }
        for name, column in _told_apart(summary.columns)
    }

    return {
        "source": str(summary.source),
        "target": str(summary.target),
        "complete": done.complete,
        "stopped": explain(done.stopped) if done.stopped else None,
        "rows": summary.rows,
        "columns": columns,
        "opted_out_rows": summary.opted_out_rows,
        "opted_out_numbers": summary.opted_out_numbers,
        "opted_out_cells": summary.opted_out_cells,
        "unclear_opt_outs": _count_texts(summary.unclear_opt_outs),
        "unread_countries": _count_texts(summary.unread_countries),
        "notes": list(summary.overlooked),
        "lookups": done.lookups,
        "lookup_cache_hits": done.cache_hits,
        "duration_s": round(done.duration_s, 3),
        "detected": _detection(found),
    }


def _told_apart(columns: Iterable[ColumnSummary]) -> Iterator[tuple[str, ColumnSummary]]:
    """Yield the columns under their names, a second one of a name as ``Phone (2)``."""
    copies: Counter[str] = Counter()
    for column in columns:
        copies[column.name] += 1
        copy = copies[column.name]
        yield (f"{column.name} ({copy})" if copy > 1 else column.name), column


def _count_texts(counts: Counter[str]) -> dict[str, Any]:
    texts = [{"text": preview_cell(text), "cells": count} for text, count in counts.most_common(SHOWN_TEXTS) if text]
    return {"cells": counts.total(), "texts": texts}


def _detection(found: Detection) -> dict[str, Any]:
    return {
        "format": found.format,
        "has_header": found.has_header,
        "header_row": found.header_row,
        "rows": found.rows,
        "phones": [column.name for column in found.phones],
        "country": found.country.name if found.country else None,
        "opt_outs": [column.name for column in found.opt_outs],
        "columns": [{"name": role.name, "role": role.role or None, "why": role.why} for role in found.roles],
        "notes": list(found.notes),
    }
