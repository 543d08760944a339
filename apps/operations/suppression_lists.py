"""The lists of registers for a person: imported from files, listed, taken away."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path

from ringfence.connectors.spreadsheet.registers import ListFile, ListFormat, open_list
from ringfence.core.config.clocks import Clocks
from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.numbers.regions import read_region
from ringfence.core.state.list_imports import NewVersion, find_current
from ringfence.core.state.listings import ListInfo
from ringfence.core.suppression.list_intake import Imported, ListOrder, find_expiry, remove_list, take_in_list

from ..config_files import find_clocks
from ..wiring import Wiring
from .door import Door
from .previews import open_for
from .regions import home_region
from .suppression import ledger_of, read_reason

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ListWish:
    """What a person wants imported, as it was typed; what is None is taken from the file or the list that is there.

    ``as_of`` and ``expires`` are days.
    """

    file: Path
    name: str
    jurisdiction: str
    as_of: str
    format: ListFormat | None = None
    column: str | None = None
    region: str | None = None
    channel: Channel | None = None
    expires: str | None = None
    delta: bool = False
    dry_run: bool = False
    accept_mass_change: bool = False


@dataclass(frozen=True, slots=True)
class ImportedList:
    """What became of the import: the file, the version that it is or would be, and what it changes."""

    file: ListFile
    version: NewVersion
    delta: bool
    done: Imported


def import_list(wiring: Wiring, wish: ListWish, door: Door) -> ImportedList:
    """Import a register's file into the ledger. In a dry run nothing is changed.

    Raises UsageError for what cannot be meant, FileError, GuardError or BusyError as
    :func:`ringfence.core.suppression.list_intake.take_in_list` does, and the errors of the wiring.
    """
    name, jurisdiction = _read_name(wish.name), _read_jurisdiction(wish.jurisdiction)
    as_of = _read_day("The day of the list", wish.as_of)
    region = home_region(wiring, wish.region) if wish.region else jurisdiction
    clocks = find_clocks(wiring.settings.mappings)

    with closing(open_for(wiring, dry_run=wish.dry_run)) as store:
        ledger = ledger_of(wiring)
        base = find_current(store, ledger, name)
        channel = wish.channel or (base.channel if base else Channel.ALL)
        file = open_list(wish.file, region, format=wish.format, column=wish.column, channel=channel)
        delta = wish.delta or file.format is ListFormat.US_DNC_CHANGE

        expires = _read_expiry(wish.expires, as_of) or _expiry(clocks, jurisdiction, file.format, as_of, wiring)
        version = NewVersion(name, jurisdiction, channel, as_of, expires, file.sha256(), door.author)
        order = ListOrder(version, delta, wish.dry_run, wish.accept_mass_change)
        with door.progress(name) as progress:
            done = take_in_list(store, ledger, wiring.clock, order, file.rows, progress.at)
    return ImportedList(file, version, delta, done)


def take_away_list(wiring: Wiring, name: str, reason: str, door: Door) -> ListInfo:
    """Take a list off the ledger with all that is on it, and return what it was.

    Raises UsageError where there is none of that name, or no reason, and BusyError while it is imported.
    """
    why = read_reason(reason)
    with closing(wiring.open_state()) as store:
        return remove_list(store, ledger_of(wiring), wiring.clock, _read_name(name), why, door.author)


def _expiry(clocks: Clocks, jurisdiction: str, format_: ListFormat, as_of: datetime, wiring: Wiring) -> datetime | None:
    today = wiring.clock.now().date()
    file = clocks.files.get(jurisdiction)
    zone: tzinfo = file.time_zone if file else UTC
    return find_expiry(as_of, clocks.list_lifetime(jurisdiction, format_.value, today), zone)


def _read_expiry(text: str | None, as_of: datetime) -> datetime | None:
    if text is None:
        return None
    last = _read_day("The last day of use", text)
    if last < as_of:
        raise UsageError(
            f"A list cannot be used until {text}, which lies before its own day.", "Give the last day of use."
        )
    return find_expiry(as_of, last - as_of, UTC)


def _read_day(named: str, text: str) -> datetime:
    """Return the begin of a day in UTC."""
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(), UTC)
    except ValueError:
        raise UsageError(f"{named} {text!r} is no date.", "Write it as YYYY-MM-DD, such as 2026-11-30.") from None


def _read_name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"The name of a list has 1 to {LONGEST_NAME} characters.", "Give one such as us-dnc.")
    return name


def _read_jurisdiction(text: str) -> str:
    found = read_region(text)
    if found is None:
        raise UsageError(f"{text!r} is no country.", "Give the code of the register's country, such as US.")
    return found
