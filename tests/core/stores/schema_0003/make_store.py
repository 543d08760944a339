"""Make store.sqlite and crm.json with the ringfence of schema 0003, and no later one; see README.md."""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ringfence.connectors.memory import MemoryBulk, MemoryCrm, MemoryFeed, companion_name
from ringfence.core import session
from ringfence.core.mapping import parse_mapping, resolve
from ringfence.core.policy import Policy
from ringfence.core.ports import Answer, AnswerKind, Page
from ringfence.core.state.leases import Holder
from ringfence.core.state.store import open_store
from ringfence.core.sync import SyncJob, SyncOptions, run_sync
from ringfence.core.values import Outcome, RowResult

KEY = "YSBrbm93biBrZXksIGZvciB0aGlzIHRlc3QgYWxvbmU="  # base64 of "a known key, for this test alone"
MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
    spread_limit: 3
  firms:
    phones: {phone: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
    spread_limit: 3
"""
INCONCLUSIVE = {"kind": AnswerKind.INCONCLUSIVE}
FAILED = {"kind": AnswerKind.FAILED, "paid": False}
CUT_OFF = {"kind": AnswerKind.FAILED, "paid": True}
ACTIVE = {"kind": AnswerKind.KNOWN, "valid": True, "line": "active", "line_type": "mobile", "code": "200"}


class Killed(BaseException):
    """The process dies here."""


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Provider:
    """A provider that confirms every number unless ``says`` tells what to answer about it."""

    name = "first"
    realm = "first:host:account"

    def __init__(self, clock: Clock, says: dict[str, Any]) -> None:
        self.clock = clock
        self.says = says

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        for number in numbers:
            yield Answer(number, observed_at=self.clock.now(), **self.says.get(number, ACTIVE))

    def close(self) -> None:
        """Nothing is held."""


class Feed(MemoryFeed):
    """A feed that names the records which were merged away, as HubSpot's does."""

    def flagged(self) -> Iterator[Page]:
        yield from super().flagged()
        for name in self.crm.shapes:
            gone = [record for record in self.crm.merged if record.object == name]
            if gone:
                yield Page(name, gone, gone=True)


class World(MemoryCrm):
    """A CRM that remembers merged records, refuses and delays some rows, and in which the process may die."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.merged: list[Any] = []
        self.edited_meanwhile: set[str] = set()
        self.die_at = ""
        self.die: Any = None

    def open_feed(self, cursors: Any) -> Feed:
        feed = super().open_feed(cursors)
        return Feed(self, feed.cursors, feed.watermark)

    def merge(self, object_name: str, winner: str, loser: str) -> None:
        self.merged.append(self.record(object_name, loser, self.rows))
        super().merge(object_name, winner, loser)

    def write_one(self, change: Any) -> RowResult:
        if change.id == self.die_at:
            self.die()
        if change.id in self.edited_meanwhile:
            return RowResult(Outcome.CONFLICT, "CHANGED", "the record has changed since it was read")
        return super().write_one(change)


def number(last: int) -> str:
    return f"+141555501{last}"


def main(folder: Path) -> None:
    clock = Clock()
    crm = World(resolve(parse_mapping(MAPPING, "made"), companion_name), clock)
    session.this_process = lambda: Holder("crm-host.example", 4711, "123456")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "state.db"
        store = open_store(f"sqlite:///{file}", KEY)
        provider = Provider(clock, {number(31): INCONCLUSIVE, number(32): FAILED, number(33): CUT_OFF})

        def run(**options: Any) -> None:
            clock.sleep(3600)
            job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock, lookups=[provider])
            run_sync(job, SyncOptions(**options))

        first_records(crm, clock)
        run()
        run(dry_run=True)
        later_records(crm, clock)

        def die() -> None:
            with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(folder / "store.sqlite")) as copy:
                live.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                copy.execute("VACUUM")
            dump_crm(crm, clock, folder / "crm.json")
            raise Killed

        crm.die_at, crm.die = "f03", die
        crm.bulk = MemoryBulk(crm)
        with suppress(Killed):
            run()
        store.close()


def first_records(crm: World, clock: Clock) -> None:
    for last in range(30, 38):
        crm.put("people", f"p{last}", phone=number(last), country="US")
    crm.put("people", "p34", optout=True)
    crm.put("people", "p38", mobile=number(34))
    crm.refuse = lambda change: ("RULE", "a rule of the CRM") if change.id == "p35" else None
    crm.edited_meanwhile = {"p36"}
    crm.put(
        "people",
        "p37",
        rf_phone_status="active",
        rf_phone_reason="live: other confirmed the line",
        rf_phone_e164=number(37),
        rf_phone_line_type="mobile",
        rf_phone_screened_value=number(37),
        rf_phone_last_screened=clock.now() - timedelta(days=3),
    )
    crm.put("people", "p39", phone=number(39), optout=True)
    crm.put("people", "p40", phone=number(39))
    crm.put("people", "p41", phone=number(41))
    crm.merge("people", "p41", "p39")
    crm.put("firms", "f01", phone=number(42))


def later_records(crm: World, clock: Clock) -> None:
    clock.sleep(600)
    for last in range(50, 58):
        crm.put("people", f"p{last}", phone=number(last), country="US")
    crm.put("people", "p60", phone=number(60), optout=True)
    crm.put("people", "p61", phone=number(60))
    crm.put("people", "p62", phone=number(62), optout=True)
    crm.put("people", "p63", phone=number(62))
    crm.put("people", "p64", phone=number(64))
    crm.merge("people", "p64", "p62")
    crm.put("firms", "f02", phone=number(72))
    crm.put("firms", "f03", phone=number(73))


def dump_crm(crm: World, clock: Clock, target: Path) -> None:
    def plain(value: Any) -> Any:
        return {"moment": value.isoformat()} if isinstance(value, datetime) else value

    document = {
        "at": clock.now().isoformat(),
        "rows": {
            name: {id_: {field: plain(value) for field, value in row.items()} for id_, row in sorted(rows.items())}
            for name, rows in crm.rows.items()
        },
        "modified": [[name, id_, stamp.isoformat()] for (name, id_), stamp in sorted(crm.modified.items())],
        "survivors": [[name, loser, winner] for (name, loser), winner in sorted(crm.survivors.items())],
    }
    target.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
