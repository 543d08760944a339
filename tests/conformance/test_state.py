"""Whole syncs of every registered CRM, with the state on each engine: what is journalled, skipped and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence.core.clock import SystemClock
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.journal import read_changes
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store, open_store
from testkit.postgres import key_of

from .harness import Harness

pytestmark = pytest.mark.both_engines


@pytest.fixture
def store(state_url: str) -> Iterator[Store]:
    """Give an empty state store on each of the engines."""
    opened = open_store(state_url, key_of(state_url))
    yield opened
    opened.close()


@pytest.fixture
def sync(harness: Harness, store: Store) -> Callable[..., Summary]:
    """Give a way to run a sync of the CRM a while after the one before."""

    def run(**options: Any) -> Summary:
        harness.pass_time(minutes=3)
        crm, shapes = harness.connect(), harness.shapes()
        job = SyncJob(crm, crm.identify(), shapes, store, Policy(), getattr(harness, "clock", SystemClock()))
        return run_sync(job, SyncOptions(**options))

    return run


def test_a_second_sync_has_nothing_to_do(harness: Harness, store: Store, sync: Callable[..., Summary]) -> None:
    harness.create(3, phone="+1 415 555 0132")

    first, second = sync(), sync()

    assert (first.total("written"), second.total("written")) == (3, 0)
    assert len(list(read_changes(store, first.run_id))) == 3
    assert [run.outcome for run in list_runs(store)] == [RunOutcome.DONE] * 2


def test_an_opt_out_reaches_who_was_read_before(harness: Harness, store: Store, sync: Callable[..., Summary]) -> None:
    asked, *_ = harness.create(3, phone="+1 415 555 0132")
    sync()
    harness.edit(asked, opt_out=True)

    summary = sync()

    assert summary.total("flags_raised") == 2
    with store.transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM opt_out_flags").scalar() == 3
