"""Syncs in partitions of the CRM in memory."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.policy import Policy
from ringfence.core.runs.partitioned import run_partitioned
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.shared_reading import Partitioning
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.divided import Divided, SharedClock, add_up
from testkit.part_workers import Nobody


@pytest.fixture
def clock() -> SetClock:
    """Give a clock that several threads may share."""
    return SharedClock()


@pytest.fixture
def divided(crm: MemoryCrm, store: Store, clock: SetClock) -> Divided:
    """Give a way to run a sync in partitions, by this process alone unless told who else is there."""

    def run(parts: int = 4, workers: Any = None, options: dict[str, Any] | None = None, **job_words: Any) -> Summary:
        clock.advance(seconds=10)
        words = {"clock": clock, **job_words}
        job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), **words)
        made = workers(job) if workers else Nobody()
        asked = SyncOptions(partitions=parts, **(options or {}))
        summary = run_partitioned(job, asked, Partitioning(parts, made, {}))
        add_up(summary)
        return summary

    return run
