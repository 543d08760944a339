"""``ringfence suppress import`` and ``ringfence suppress lists``: do-not-call registers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.connectors.spreadsheet.registers import ListFormat
from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.state.listings import ListInfo

from ..operations.listings import list_lists
from ..operations.suppression_lists import ImportedList, ListWish, import_list, take_away_list
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .phrases import count, name_day
from .start import begin_wired


def import_(
    file: Annotated[Path, typer.Argument(help="The register's file as it was downloaded, unpacked.")],
    name: Annotated[str, typer.Option("--list", metavar="NAME", help="What the list is called, the same each time.")],
    jurisdiction: Annotated[
        str, typer.Option("--jurisdiction", metavar="CC", help="The register's country; national numbers are its own.")
    ],
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="Of which day the file is, YYYY-MM-DD.")],
    format_: Annotated[
        ListFormat | None, typer.Option("--format", help="How the file is written; found out when not named.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="C", help="csv: the column of the numbers; else found out.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="R", help="Country of national numbers, if not the register's.")
    ] = None,
    channel: Annotated[
        Channel | None, typer.Option("--channel", help="The way of contact that a listing forbids; all unless told.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="DATE", help="The last day of use, where no clock of the country says it."),
    ] = None,
    delta: Annotated[
        bool, typer.Option("--delta", help="The file holds changes to the list, and not the whole of it.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how the file is read and what it would change; change nothing.")
    ] = False,
    accept_mass_change: Annotated[
        bool, typer.Option("--accept-mass-change", help="The list may lose more than half of its numbers.")
    ] = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Take in a do-not-call register: whoever is on it is not contacted from now on, in any connected CRM.

    The new file replaces the list of that name as a whole, in one moment; a file of changes (`--delta`, and always
    us-dnc-change) comes on top of it. Numbers are kept as keyed hashes alone. How long a list may be used is told by
    the clocks in mappings/clocks/; `suppress lists` shows it.

    Try: `ringfence suppress import dnc.txt --list us-dnc --jurisdiction US --as-of 2026-11-30 --dry-run`.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    wish = ListWish(
        file,
        name,
        jurisdiction,
        as_of,
        format_,
        column,
        region,
        channel,
        expires,
        delta=delta,
        dry_run=dry_run,
        accept_mass_change=accept_mass_change,
    )
    imported = import_list(wiring, wish, open_door())

    _show(imported, dry_run=dry_run, expired=_is_expired(imported, wiring.clock.now()))
    output.document(_document(imported, dry_run=dry_run))
    return DONE


def lists(
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="NAME", help="Take this list away, with all that is on it.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="With --remove: why.")] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show the registers' lists: of which day each is, until when it may be used, and how many are on it."""
    wiring = begin_wired(json=json, verbose=verbose)
    if remove is not None:
        gone = take_away_list(wiring, remove, _needed(reason), open_door())
        output.say(f"{gone.name}: taken away, with {count(gone.numbers, 'number')}")

    now, found = wiring.clock.now(), list_lists(wiring)
    output.document({"lists": [as_list(each, now) for each in found]})
    rows = [_row(each, expired=each.is_expired(now)) for each in found]
    columns = ["list", "country", "channel", "as of", "until", "numbers", "sha256", "by"]
    output.table("", columns, rows, right=(5,), whole=0)
    if not found:
        output.say("No list was imported yet.")
    return DONE


def as_list(info: ListInfo, now: datetime) -> dict[str, Any]:
    """Return a list as JSON values; dates are days of the register."""
    return {
        "name": info.name,
        "jurisdiction": info.jurisdiction,
        "channel": info.channel.value,
        "as_of": _iso(info.as_of),
        "expires": _iso(info.expires) if info.expires else None,
        "expired": info.is_expired(now),
        "numbers": info.numbers,
        "sha256": info.sha256,
        "imported_by": info.author,
        "imported_at": info.imported_at.isoformat(),
    }


def _iso(moment: datetime) -> str:
    return moment.date().isoformat()


def _row(info: ListInfo, *, expired: bool) -> list[str]:
    until = name_day(info.expires) if info.expires else "no end"
    return [
        info.name,
        info.jurisdiction,
        info.channel.value,
        name_day(info.as_of),
        f"{until}, EXPIRED" if expired else until,
        f"{info.numbers:,}",
        info.sha256[:12],
        info.author,
    ]


def _needed(reason: str | None) -> str:
    if reason is None:
        raise UsageError("A list is taken away with a reason.", "Add --reason TEXT.")
    return reason


def _is_expired(imported: ImportedList, now: datetime) -> bool:
    expires = imported.version.expires
    return expires is not None and now > expires


def _show(imported: ImportedList, *, dry_run: bool, expired: bool) -> None:
    file, done, version = imported.file, imported.done, imported.version
    how = "which its content shows" if file.detected else "as named"
    output.say(f"{file.path}: {file.format.value}, {how}; {file.preview.encoding}", style="bold")
    if dry_run:
        _show_preview(imported)
    if done.known:
        output.say(f"{version.name}: this file of {name_day(version.as_of)} counts already; there is nothing to do.")
        return

    for row in done.examples:
        output.say(f"  line {row.line:,} holds no number: {row.text}", style="yellow")
    verb = "would be" if dry_run else "are"
    change = done.change
    output.say(
        f"{version.name} ({version.jurisdiction}, {version.channel.value}) of {name_day(version.as_of)}: "
        f"{change.added:,} added, {change.removed:,} removed, {change.numbers:,} {verb} on it; "
        f"{count(done.unreadable, 'row')} unreadable"
    )
    _show_expiry(imported, expired=expired)


def _show_preview(imported: ImportedList) -> None:
    preview = imported.file.preview
    if preview.column is not None:
        output.say(f"numbers: column {preview.column!r}")
    if preview.results:
        output.say(f"who is on the register: column {', '.join(map(repr, preview.results))}")
    output.table("first rows; numbers masked", list(preview.columns) or ["line"], [list(row) for row in preview.rows])
    output.say("DRY RUN: nothing is changed.", style="bold yellow")


def _show_expiry(imported: ImportedList, *, expired: bool) -> None:
    expires = imported.version.expires
    if expires is None:
        output.say("No clock says how long it may be used; --expires DATE sets an end.", style="yellow")
    elif expired:
        output.say(
            f"It may be used until {name_day(expires)}, which is over: it silences whom it names, and sync, check and "
            "export stop until a newer one comes.",
            style="yellow",
        )
    else:
        output.say(f"It may be used until {name_day(expires)}.")


def _document(imported: ImportedList, *, dry_run: bool) -> dict[str, Any]:
    file, done, version = imported.file, imported.done, imported.version
    document: dict[str, Any] = {
        "list": version.name,
        "added": done.change.added,
        "removed": done.change.removed,
        "unreadable": done.unreadable,
        "numbers": done.change.numbers,
        "as_of": _iso(version.as_of),
        "expires": _iso(version.expires) if version.expires else None,
        "jurisdiction": version.jurisdiction,
        "channel": version.channel.value,
        "rows": done.rows,
        "unreadable_rows": [row._asdict() for row in done.examples],
        "format": file.format.value,
        "delta": imported.delta,
        "dry_run": dry_run,
        "unchanged": done.known,
        "sha256": version.sha256,
    }
    if dry_run:
        preview = file.preview
        document["preview"] = {
            "columns": list(preview.columns),
            "column": preview.column,
            "results": list(preview.results),
            "rows": [list(row) for row in preview.rows],
            "encoding": preview.encoding,
        }
    return document
