"""A real state store, a CRM in memory to sync, and lookup providers that say what a test tells them to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.caps import Caps
from ringfence.core.model.evidence_rules import EvidenceRules
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Provider, Sync, make_crm
from testkit.postgres import key_of


@pytest.fixture
def store(state_url: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give an empty state store on each of the engines, whose server shares the clock of the test."""
    monkeypatch.setattr("ringfence.core.state.sql.server_now", lambda _connection: clock.now())
    opened = open_store(state_url, key_of(state_url))
    yield opened
    opened.close()


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    """Give an empty CRM of people with two phone fields, an opt-out and a low limit for switchboards."""
    return make_crm(clock)


@pytest.fixture
def sync(crm: MemoryCrm, store: Store, clock: SetClock) -> Sync:
    """Give a way to run a sync of it; every record that is read has one outcome."""

    def run(**options: Any) -> Summary:
        clock.advance(seconds=10)
        caps = Caps(max_lookups=options.pop("max_lookups", None))
        extra = {"lookups": options.pop("lookups", ()), "caps": options.pop("caps", caps)}
        extra["evidence"] = options.pop("evidence", EvidenceRules())
        job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock, **extra)
        summary = run_sync(job, SyncOptions(**options))
        for counts in summary.objects.values():
            assert counts.read == counts.skipped_recent + counts.due
            outcomes = counts.written + counts.unchanged + counts.conflicts + counts.failed + counts.deferred
            assert counts.due == outcomes
        return summary

    return run


@pytest.fixture
def make_provider(clock: SetClock) -> MakeProvider:
    """Give providers by name and behaviour."""
    return lambda name="first", **behaviour: Provider(clock, name, **behaviour)
