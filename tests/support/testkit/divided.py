"""Syncs in partitions of a CRM in memory, beside plain ones of its twin."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import open_store

from .clock import SetClock
from .memory_runs import make_crm

GOOD = ["+1 415 555 0132", "+44 20 7946 0018", "+1 650 253 0000", "12", ""]


def people(crm: MemoryCrm, count: int = 40) -> MemoryCrm:
    """Fill the CRM: numbers that several hold, some that cannot exist, and two who opted out."""
    for i in range(count):
        crm.put("people", f"p{i:03}", phone=GOOD[i % 5], mobile=f"+1 650 253 {i % 30:04}", optout=i in (3, 31))
    return crm


def add_up(summary: Summary) -> None:
    """Make sure that every record that was read has one outcome."""
    for counts in summary.objects.values():
        assert counts.read == counts.skipped_recent + counts.due
        outcomes = counts.written + counts.unchanged + counts.conflicts + counts.failed + counts.deferred
        assert counts.due == outcomes


Divided = Callable[..., Summary]
"""Runs a sync in partitions with these options and returns its summary."""


class SharedClock(SetClock):
    """A clock for several threads: whoever waits gives the others some time."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        time.sleep(0.003)


def plain(clock: SetClock, folder: Path, **words: Any) -> tuple[MemoryCrm, Summary]:
    """Return what a plain sync of the same people comes to: the CRM and the summary."""
    twin = people(make_crm(clock))
    store = open_store(f"sqlite:///{folder}/plain.db")
    clock.advance(seconds=10)
    summary = run_sync(SyncJob(twin, twin.identify(), twin.shapes, store, Policy(), clock, **words), SyncOptions())
    store.close()
    return twin, summary


def verdicts(crm: MemoryCrm) -> dict[str, dict[str, Any]]:
    """Return what the records hold but for when they were screened."""
    return {
        id_: {name: value for name, value in row.items() if not name.endswith("last_screened")}
        for id_, row in crm.rows["people"].items()
    }


COUNTED = ("objects", "statuses", "due_reasons", "reason_codes", "skip_reasons", "lookups", "complete", "exit_code")


def figures(summary: Summary) -> dict[str, Any]:
    """Return what both kinds of sync must count alike."""
    return {name: summary.to_json()[name] for name in COUNTED}
