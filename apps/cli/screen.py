"""``ringfence screen``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.connectors.spreadsheet import Detection, ScreenOptions, default_target, detect

from ..operations import ScreenedFile, home_region, screen_file
from .door import open_door
from .exit_codes import DONE, STOPPED
from .options import Json, Verbose
from .output import output
from .render import status_rows
from .start import begin_wired


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
        typer.Option("--header/--no-header", help="Whether the first row names the columns; detected otherwise."),
    ] = None,
    lookups: Annotated[
        bool, typer.Option("--lookups", help="Ask the configured providers too; without it nothing is bought.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show what was detected, and stop.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output file. Never the input.")] = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Screen the phone numbers of a CSV or Excel file into a new file.

    Every row and cell stays as it is; six columns per phone column are added: status, reason, E.164, line type,
    screened value, last screened. Numbers of rows that opted out are silenced in the whole file.
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
        force=force,
    )

    found = detect(file, options)
    _show_detection(found)
    if preview:
        output.document(_detection(found))
        return DONE

    done = screen_file(wiring, file, target or default_target(file), options, open_door(), with_providers=lookups)
    _show_result(done)
    output.document(_document(done, found))
    return DONE if done.complete else STOPPED


def _show_detection(found: Detection) -> None:
    kind = ", ".join(f"{name} {value!r}" for name, value in found.format.items())
    output.say(f"{found.path}: about {found.rows:,} rows; {kind}", style="bold")
    for column in found.phones:
        output.say(f"  phone column {column.name!r} (by {column.by}; {column.share:.0%} of its cells read as numbers)")
    if found.country:
        output.say(f"  country column {found.country.name!r} (by {found.country.by})")
    for column in found.opt_outs:
        output.say(f"  opt-out column {column.name!r}")
    for note in found.notes:
        output.say(f"  {note}")
    output.table("first rows, masked", list(found.columns), [list(row) for row in found.preview])


def _show_result(done: ScreenedFile) -> None:
    summary = done.summary
    statuses = sum((column.statuses for column in summary.columns), Counter[str]())
    output.table("\nnumbers screened", ["status", "cells", "share", "callable"], status_rows(statuses), right=(1, 2))

    if summary.repaired:
        output.say(f"{summary.repaired:,} cells gave a number only after a repair, named in their reason.")
    if summary.opted_out_rows:
        output.say(f"{summary.opted_out_rows:,} rows opted out, for {summary.opted_out_numbers:,} numbers.")
    for note in summary.notes:
        output.say(note)

    if done.with_providers:
        output.say(f"lookups bought: {done.lookups:,}; answered from the cache: {done.cache_hits:,}")
    if not done.complete:
        output.say(
            "Not complete: the budget of lookups is used up. Run again to go on; nothing is paid twice.", style="yellow"
        )

    rate = summary.rows / max(done.duration_s, 0.001)
    output.say(f"{summary.rows:,} rows to {summary.target} in {done.duration_s:.1f} s ({rate:,.0f} rows/s)")


def _document(done: ScreenedFile, found: Detection) -> dict[str, Any]:
    summary = done.summary
    columns = {
        column.name: {
            "statuses": dict(column.statuses),
            "empty": column.empty,
            "deferred": column.deferred,
            "repaired": column.repaired,
        }
        for column in summary.columns
    }

    return {
        "source": str(summary.source),
        "target": str(summary.target),
        "complete": done.complete,
        "rows": summary.rows,
        "columns": columns,
        "opted_out_rows": summary.opted_out_rows,
        "opted_out_numbers": summary.opted_out_numbers,
        "lookups": done.lookups,
        "lookup_cache_hits": done.cache_hits,
        "duration_s": round(done.duration_s, 3),
        "detected": _detection(found),
    }


def _detection(found: Detection) -> dict[str, Any]:
    return {
        "format": found.format,
        "has_header": found.has_header,
        "rows": found.rows,
        "phones": [column.name for column in found.phones],
        "country": found.country.name if found.country else None,
        "opt_outs": [column.name for column in found.opt_outs],
        "notes": list(found.notes),
    }
