"""Make store.sqlite and crm.json with the ringfence of schema 0012, and no later one; see README.md."""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ringfence.connectors.memory import MemoryCrm, MemoryLookup, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.policy import Policy
from ringfence.core.runs import run as session
from ringfence.core.runs.sync import SyncJob, SyncOptions, run_sync
from ringfence.core.state.leases import Holder
from ringfence.core.state.store import open_store

KEY = "YSBrbm93biBrZXksIGZvciB0aGlzIHRlc3QgYWxvbmU="  # base64 of "a known key, for this test alone"
MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
"""


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Clock:
    """A clock that moves only when told to."""

    time: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class World(MemoryCrm):
    """A CRM in which the process may die between two rows."""

    die_at = ""
    die: Callable[[], None]

    def write_one(self, change: Any) -> Any:
        if change.id == self.die_at:
            self.die()
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
        answers = {number(36): {"kind": AnswerKind.FAILED, "paid": False}}
        provider = MemoryLookup(clock, "first", answers=answers)

        def run() -> None:
            clock.sleep(3600)
            job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock, lookups=[provider])
            run_sync(job, SyncOptions())

        first_records(crm)
        run()
        crm.put("people", "p40", optout=False)
        crm.put("people", "p32", optout=True)
        run()
        later_records(crm)

        def die() -> None:
            with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(folder / "store.sqlite")) as copy:
                live.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                copy.execute("VACUUM")
            dump_crm(crm, clock, folder / "crm.json")
            raise Killed

        crm.die_at, crm.die = "p53", die
        with suppress(Killed):
            run()
        store.close()


def first_records(crm: World) -> None:
    crm.put("people", "p30", phone=number(30), optout=True)
    crm.put("people", "p31", phone=number(30), mobile=number(31))
    crm.put("people", "p32", phone=number(32))
    crm.put("people", "p33", phone=number(32), mobile=number(33))
    crm.put("people", "p35", phone=number(35))
    crm.put("people", "p36", phone=number(36))
    crm.put("people", "p40", phone=number(40), optout=True)
    crm.put("people", "p41", phone=number(40))


def later_records(crm: World) -> None:
    crm.put("people", "p50", phone=number(50), optout=True)
    for last in range(51, 56):
        crm.put("people", f"p{last}", phone=number(last))
    crm.put("people", "p55", mobile=number(50))


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
    }
    target.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
