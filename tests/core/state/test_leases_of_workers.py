"""A lease that a worker's command holds on another machine: its signs of life tell soon that the machine is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from ringfence.core.errors import BusyError
from ringfence.core.ports.crm import Org
from ringfence.core.state import schema
from ringfence.core.state.cursors import register_org
from ringfence.core.state.jobs.workers import registered
from ringfence.core.state.leases import SIGNS_EXPIRY, Holder, take_lease, this_process
from ringfence.core.state.store import Store
from testkit.clock import SetClock

FAR = Holder("far.example", 7, "123")


def hold(store: Store, clock: SetClock, *, signs: bool, holder: Holder = FAR) -> int:
    """Let a run of another machine hold the lease of an org, with signs of life or without, and return the org."""
    org = register_org(store, Org("memory", "1", "One", production=False))
    take_lease(store, org, "first", clock.now(), holder)
    if signs:
        row = {"host": holder.host, "pid": holder.pid, "process_started": holder.started, "queues": "[]"}
        with store.transaction() as connection:
            connection.execute(insert(schema.workers).values(id="w", **row, renewed_at=clock.now()))
    return org


def test_one_that_has_fallen_silent_is_taken_over_within_a_minute(store: Store, clock: SetClock) -> None:
    org = hold(store, clock, signs=True)
    clock.advance(seconds=SIGNS_EXPIRY.total_seconds())

    take_lease(store, org, "second", clock.now(), this_process())


@pytest.mark.parametrize(("signs", "silent"), [(True, timedelta(seconds=59)), (False, timedelta(minutes=14))])
def test_one_that_may_be_at_work_is_not(store: Store, clock: SetClock, signs: bool, silent: timedelta) -> None:
    org = hold(store, clock, signs=signs)
    clock.advance(seconds=silent.total_seconds())

    with pytest.raises(BusyError, match=r"process 7 on far\.example"):
        take_lease(store, org, "second", clock.now(), this_process())


def test_signs_of_life_are_kept_for_as_long_as_the_command_runs(store: Store, clock: SetClock) -> None:
    def on_record() -> list[int]:
        with store.transaction() as connection:
            return [row.pid for row in connection.execute(schema.workers.select())]

    with registered(store, clock, ()):
        assert on_record() == [this_process().pid]
    assert on_record() == []
