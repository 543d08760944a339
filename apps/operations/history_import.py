"""Calls and messages from a file, taken in as the service takes in what it is told of them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ringfence.connectors.signals.history_rows import HistoryRows, Unknown, Unreadable
from ringfence.connectors.spreadsheet.record_file import Record, RecordFile, RecordShape, open_records
from ringfence.core.config.history_profile import HistoryProfile, find_zone
from ringfence.core.errors import FileError, MappingError, UsageError
from ringfence.core.model.signals import Signal
from ringfence.core.numbers import mask_numbers
from ringfence.core.state.heard_signals import find_heard
from ringfence.core.state.store import Store
from ringfence.core.suppression.signals import Became, Told

from ..config_files import find_history_profile
from ..wiring import Wiring
from .door import Door
from .previews import open_for
from .regions import home_region
from .signals import SignalDoor

BATCH = 1000
"""Rows that one transaction takes in."""

MOST_WORDS = 200
"""Unknown words that are counted one by one; what comes in a file of nothing else is counted as the others."""

OTHERS = "(others)"
_LONGEST_WORD = 60
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class HistoryWish:
    """What a person wants imported, as it was typed. ``timezone`` is that of moments that name none."""

    file: Path
    profile: str
    region: str | None = None
    timezone: str | None = None
    encoding: str | None = None
    dry_run: bool = False


@dataclass(slots=True)
class ImportedHistory:
    """What a file of calls or messages held: ``rows`` is the sum of the four counts behind it.

    ``became`` tells what the rows that were taken did. ``unreadable_rows`` are the first of those, counted from 1
    below the header, each with a reason.
    """

    rows: int = 0
    taken: int = 0
    known: int = 0
    unknown: int = 0
    unreadable: int = 0
    unknown_codes: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0  # of the unknown ones: no end of them was told yet
    became: Counter[Became] = field(default_factory=Counter)
    unreadable_rows: list[tuple[int, str]] = field(default_factory=list)
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            **{name: getattr(self, name) for name in ("rows", "taken", "known", "unknown", "unreadable")},
            "unknown_codes": dict(self.unknown_codes.most_common()),
            "unfinished": self.unfinished,
            "acts": None if self.dry_run else {each.value: self.became[each] for each in ACTS},
            "unreadable_rows": [{"row": row, "why": why} for row, why in self.unreadable_rows],
            "dry_run": self.dry_run,
        }

    def leave(self, found: Unknown | Unreadable) -> None:
        """Count a row that is not taken in."""
        if isinstance(found, Unreadable):
            self.unreadable += 1
            if len(self.unreadable_rows) < _EXAMPLES:
                self.unreadable_rows.append((self.rows, mask_numbers(found.why)))
            return
        self.unknown += 1
        self.unfinished += found.is_unfinished
        word = mask_numbers(" ".join(found.word.split()))[:_LONGEST_WORD]
        if word not in self.unknown_codes and len(self.unknown_codes) >= MOST_WORDS:
            word = OTHERS
        self.unknown_codes[word] += 1


ACTS = (Became.BLOCKED, Became.LIFTED, Became.WRONG_PERSON, Became.REVIEW)


def import_history(wiring: Wiring, wish: HistoryWish, door: Door) -> ImportedHistory:
    """Take in what a file tells of calls and messages; in a dry run only count it.

    What was told before, by the service or by a file, is known and does nothing: so a file that is imported again
    changes nothing, and an import that was cut off goes on where it was. Raises UsageError, FileError or MappingError
    for what cannot be read, StateError, and the errors of the wiring.
    """
    profile = find_history_profile(wiring.settings.mappings, wish.profile)
    rows = _reader(profile, wish, wiring)
    shape = RecordShape((profile.number, profile.at, profile.status), profile.lists, profile.each)
    file = open_records(wish.file, shape, wish.encoding)

    done = ImportedHistory(dry_run=wish.dry_run)
    with closing(open_for(wiring, dry_run=wish.dry_run)) as store, closing(_Seen()) as seen:
        signals = SignalDoor(wiring, store, None)
        take = partial(seen.tell_known, store) if wish.dry_run else partial(signals.take_in_read, for_ever=True)
        read = partial(_read, rows, signals)
        with door.progress("history import") as progress:
            for some in _batches(file, done):
                _take(some, read, take, done)
                progress.at(done.rows, max(done.rows, file.estimate(done.rows)))
    return done


def _reader(profile: HistoryProfile, wish: HistoryWish, wiring: Wiring) -> HistoryRows:
    zone: ZoneInfo | None = None
    if wish.timezone is not None and (zone := find_zone(wish.timezone)) is None:
        raise UsageError(f"{wish.timezone!r} is no time zone.", "Write one such as Europe/Berlin or UTC.")
    try:
        return HistoryRows(profile, wiring.clock.now(), zone, home_region(wiring, wish.region))
    except KeyError as error:
        raise MappingError(
            f"The profile {wish.profile} names the codes of {error}, which nobody knows.",
            "Name twilio, vonage or telnyx, or leave `codes` out and write `outcomes`.",
        ) from None


def _batches(file: RecordFile, done: ImportedHistory) -> Iterator[Sequence[Record]]:
    """Yield the records in batches. A file that breaks off further down says that what stood before it counts."""
    records = file.records()
    while True:
        try:
            some = list(islice(records, BATCH))
        except FileError as error:
            if not done.rows:
                raise
            raise FileError(
                f"{error.message} The {done.rows:,} rows before it were read.",
                f"{error.remedy} What was taken in is known, and counts once.",
            ) from error
        if not some:
            return
        yield some


def _take(
    records: Sequence[Record],
    read: Callable[[Record], Told | Unknown | Unreadable],
    take: Callable[[Sequence[Told]], Sequence[Became]],
    done: ImportedHistory,
) -> None:
    told: list[Told] = []
    for record in records:
        done.rows += 1
        try:
            found = read(record)
        except UsageError as error:
            raise UsageError(f"Row {done.rows:,}: {error.message}", error.remedy, code=error.code) from error
        if isinstance(found, Unknown | Unreadable):
            done.leave(found)
        else:
            told.append(found)

    became = take(told)
    done.became.update(became)
    known = became.count(Became.KNOWN)
    done.known += known
    done.taken += len(became) - known


def _read(rows: HistoryRows, signals: SignalDoor, record: Record) -> Told | Unknown | Unreadable:
    """Return what a record tells, with the numbers that it may be about."""
    if record is None:
        return Unreadable("it is no record")
    found = rows.read(record)
    if not isinstance(found, Signal):
        return found
    try:
        told = signals.read(found)
    except UsageError as error:  # of its record: the region was read before
        return Unreadable(error.message)
    return told if told[1] else Unreadable(f"{found.number!r} cannot be read as a number")


class _Seen:
    """The rows that a dry run has seen, on disk where they are many; the file goes when it is closed."""

    def __init__(self) -> None:
        self._seen = sqlite3.connect("")
        self._seen.execute("CREATE TABLE seen (vendor TEXT, id TEXT, PRIMARY KEY (vendor, id)) WITHOUT ROWID")

    def tell_known(self, store: Store, told: Sequence[Told]) -> list[Became]:
        """Return of each signal whether it is known; what the others would do nobody knows before."""
        named = [(signal.vendor, signal.id) for signal, _ in told]
        with store.transaction() as connection:
            heard = find_heard(connection, store.keyring, named)
        return [
            Became.KNOWN if place in heard or not self._is_first(name) else Became.EVIDENCE
            for place, name in enumerate(named)
        ]

    def _is_first(self, name: tuple[str, str]) -> bool:
        vendor, signal_id = name
        values = (vendor, signal_id.encode("utf-8", "surrogatepass"))
        return self._seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", values).rowcount == 1

    def close(self) -> None:
        """Forget them."""
        self._seen.close()
