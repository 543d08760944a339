"""Make store.sqlite and crm.json with the ringfence of schema 0004, and no later one; see README.md."""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ringfence.connectors.memory import MemoryCrm, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.policy import Policy
from ringfence.core.runs.sync import SyncJob, SyncOptions, run_sync
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


def number(last: int) -> str:
    return f"+141555501{last}"


def main(folder: Path) -> None:
    clock = Clock()
    crm = MemoryCrm(resolve(parse_mapping(MAPPING, "made"), companion_name), clock)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "state.db"
        store = open_store(f"sqlite:///{file}", KEY)

        def run() -> None:
            clock.sleep(3600)
            run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions())

        first_records(crm)
        run()
        # The slots of flags that ringfence raised name the record's own flag once they have aged.
        clock.sleep(31 * 86_400)
        run()
        later_records(crm)
        run()
        crm.put("people", "p43", optout=True)
        run()
        store.close()
        with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(folder / "store.sqlite")) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute("VACUUM")
    dump_crm(crm, clock, folder / "crm.json")


def first_records(crm: MemoryCrm) -> None:
    crm.put("people", "p30", phone=number(30), optout=True)
    crm.put("people", "p31", phone=number(30), mobile=number(31))
    crm.put("people", "p32", phone=number(31), mobile=number(32))
    crm.put("people", "p33", phone=number(32))
    crm.put("people", "p40", phone=number(40), optout=True)
    crm.put("people", "p43", phone=number(40), mobile=number(43))


def later_records(crm: MemoryCrm) -> None:
    for id_ in ("p40", "p43"):
        crm.put("people", id_, optout=False)
    crm.put("people", "p50", phone=number(50), optout=True)
    crm.put("people", "p51", phone=number(50), mobile=number(51))


def dump_crm(crm: MemoryCrm, clock: Clock, target: Path) -> None:
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
