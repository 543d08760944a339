"""``ringfence screen``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.connectors.spreadsheet import (
    CellVerdict,
    Detection,
    ScreenOptions,
    Summary,
    default_target,
    detect,
    screen_file,
)
from ringfence.core.errors import UsageError
from ringfence.core.model.verdicts import judge
from ringfence.core.numbers import read_number
from ringfence.core.numbers.regions import read_region
from ringfence.core.screening.screening import Question, Screening
from ringfence.core.state.journal import new_run_id
from ringfence.core.state.lookup_cache import LookupCache

from ..wiring import Wiring, wire
from .options import Json
from .output import output
from .progress import RunProgress
from .render import status_rows
from .sync import STOPPED


class CellScreener:
    """Judges the cells of a file through the same screening as a CRM's."""

    def __init__(self, screening: Screening) -> None:
        self.screening = screening

    def screen(self, cells: Sequence[tuple[str, str | None]]) -> Sequence[CellVerdict | None]:
        """Return one verdict per cell; None where its lookup failed for now."""
        numbers = [read_number(raw, region) for raw, region in cells]
        known = self.screening.screen(Question(number) for number in numbers)
        verdicts = []
        for number in numbers:
            facts = known[number]
            verdicts.append(CellVerdict.of(judge(facts), number) if facts else None)
        return verdicts


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
    json: Json = False,
) -> int:
    """Screen the phone numbers of a CSV or Excel file into a new file.

    Every row and cell stays as it is; six columns per phone column are added: status, reason, E.164, line type,
    screened value, last screened. Numbers of rows that opted out are silenced in the whole file.
    """
    output.json = json
    wiring = wire()
    home = read_region(region) if region else wiring.settings.default_region
    if region and home is None:
        raise UsageError(f"{region!r} is no country.", "Use a code such as US, or an English name.")
    options = ScreenOptions(
        phones=tuple(phones or ()),
        country=country,
        region=home,
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
        return 0
    return _screen(wiring, file, target or default_target(file), options, found, buy=lookups)


def _screen(wiring: Wiring, file: Path, target: Path, options: ScreenOptions, found: Detection, *, buy: bool) -> int:
    providers = wiring.lookups() if buy else []
    if buy and not providers:
        raise UsageError(
            "--lookups was given, and no provider is configured.",
            'Set RINGFENCE_LOOKUP__PROVIDERS, such as ["twilio"].',
        )
    store = wiring.open_state() if providers else None
    started = wiring.clock.monotonic()
    try:
        screening = Screening(
            policy=wiring.policy(),
            clock=wiring.clock,
            facts=LookupCache(store, new_run_id(wiring.clock.now())) if store else None,
            lookups=providers,
            max_lookups=wiring.settings.lookup.max_lookups,
        )
        with RunProgress(output.err, f"screen {file.name}") as progress:
            summary = screen_file(file, target, options, CellScreener(screening), progress.at, wiring.clock)
    finally:
        for provider in providers:
            provider.close()
        if store:
            store.close()
    took = wiring.clock.monotonic() - started
    _show_result(summary, screening, took)
    output.document(_document(summary, screening, found, took))
    return STOPPED if screening.exhausted else 0


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


def _show_result(summary: Summary, screening: Screening, took: float) -> None:
    statuses = sum((column.statuses for column in summary.columns), Counter[str]())
    rows = status_rows(statuses)
    output.table("\nnumbers screened", ["status", "cells", "share", "callable"], rows, right=(1, 2))
    if summary.repaired:
        output.say(f"{summary.repaired:,} cells gave a number only after a repair, named in their reason.")
    if summary.opted_out_rows:
        output.say(f"{summary.opted_out_rows:,} rows opted out, for {summary.opted_out_numbers:,} numbers.")
    for note in summary.notes:
        output.say(note)
    tally = screening.tally
    if screening.lookups:
        output.say(f"lookups bought: {tally.lookups:,}; answered from the cache: {tally.cache_hits:,}")
    if screening.exhausted:
        output.say(
            "Not complete: the budget of lookups is used up. Run again to go on; nothing is paid twice.", style="yellow"
        )
    output.say(
        f"{summary.rows:,} rows to {summary.target} in {took:.1f} s ({summary.rows / max(took, 0.001):,.0f} rows/s)"
    )


def _document(summary: Summary, screening: Screening, found: Detection, took: float) -> dict[str, Any]:
    return {
        "source": str(summary.source),
        "target": str(summary.target),
        "complete": not screening.exhausted,
        "rows": summary.rows,
        "columns": {
            column.name: {
                "statuses": dict(column.statuses),
                "empty": column.empty,
                "deferred": column.deferred,
                "repaired": column.repaired,
            }
            for column in summary.columns
        },
        "opted_out_rows": summary.opted_out_rows,
        "opted_out_numbers": summary.opted_out_numbers,
        "lookups": screening.tally.lookups,
        "lookup_cache_hits": screening.tally.cache_hits,
        "duration_s": round(took, 3),
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
