"""Work that no job stands for is given one, and what goes on waiting less and less often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete

from ringfence.apps.operations.asked_checks import ASKED_CHECKS, queue_checks
from ringfence.apps.operations.left_work import LeftWork
from ringfence.apps.operations.waking import TARGETED_SYNC, wake_records
from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.apps.worker.rounds import going_round
from ringfence.core.state import schema
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.jobs import wait_until


@pytest.fixture
def wiring(clock: SetClock, tmp_path: Path) -> Wiring:
    settings = {"RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db", "RINGFENCE_HUBSPOT__ACCESS_TOKEN": "token"}
    return Wiring(build_settings(settings), clock=clock)


@pytest.fixture
def store(wiring: Wiring) -> Iterator[Store]:
    """A store in which a record waits, and a check; their jobs are gone."""
    with closing(wiring.open_state()) as store:
        jobs = wiring.open_jobs(store)
        wake_records(wiring.of("hubspot"), store, jobs, "hubspot", {"contacts": ["1"]})
        queue_checks(store, jobs, wiring.clock, ["+14155550132"])
        assert len(take_jobs(store)) == 2
        yield store


def take_jobs(store: Store) -> list[str]:
    """Return the kinds of the jobs on record, and take them away."""
    with store.transaction() as connection:
        return sorted(connection.scalars(delete(schema.jobs).returning(schema.jobs.c.kind)))


def test_what_was_left_gets_its_job_again(wiring: Wiring, store: Store, clock: SetClock) -> None:
    jobs = wiring.open_jobs(store)
    left = LeftWork(wiring, store, jobs, ["default", "hubspot"])

    left.give_jobs()
    assert take_jobs(store) == []
    clock.advance(seconds=60)
    LeftWork(wiring, store, jobs, ["default", "another"]).give_jobs()
    assert take_jobs(store) == [ASKED_CHECKS]
    left.give_jobs()
    assert take_jobs(store) == [ASKED_CHECKS, TARGETED_SYNC]


def test_what_goes_on_waiting_gets_it_less_often(wiring: Wiring, store: Store, clock: SetClock) -> None:
    left = LeftWork(wiring, store, wiring.open_jobs(store), ["hubspot"])
    times = 0
    for _ in range(130):
        clock.advance(seconds=60)
        left.give_jobs()
        times += TARGETED_SYNC in take_jobs(store)

    assert times == 8, "after 1, 2, 4, 8, 16, 32, 64 and 124 minutes"

    with store.transaction() as connection:
        connection.execute(delete(schema.wakes))
    left.give_jobs()
    wake_records(wiring.of("hubspot"), store, wiring.open_jobs(store), "hubspot", {"contacts": ["2"]})
    take_jobs(store)
    clock.advance(seconds=60)
    left.give_jobs()
    assert TARGETED_SYNC in take_jobs(store), "new work is no old one"


def test_rounds_are_made_for_as_long_as_jobs_are_taken(wiring: Wiring, store: Store, clock: SetClock) -> None:
    jobs = wiring.open_jobs(store)

    with going_round(LeftWork(wiring, store, jobs, ["hubspot"]), every_s=0.01):
        wait_until(lambda: len(jobs.list()) == 2)
        take_jobs(store)
        clock.advance(seconds=60)
        wait_until(lambda: len(jobs.list()) == 2)
