"""A run without a recorded end: at work, or killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.ports.crm import Org
from ringfence.core.state import schema
from ringfence.core.state.cursors import register_org
from ringfence.core.state.journal import Journal
from ringfence.core.state.leases import Holder, take_lease, this_process
from ringfence.core.state.liveness import TRUSTED_FOR, as_it_stands, end_killed_screenings
from ringfence.core.state.run_history import find_run
from ringfence.core.state.store import Store
from testkit.clock import SetClock

HERE = this_process()
GONE = Holder(HERE.host, HERE.pid, "long ago")
ELSEWHERE = Holder("another-machine", 1, "1")
Begin = Callable[..., RunOutcome]


@pytest.fixture
def outcome(store: Store, clock: SetClock) -> Begin:
    """Begin a run in some process, let time pass, and return how it stands."""

    def stand(process: Holder | None, passed: timedelta, *, org: int | None = None, leased: bool = False) -> RunOutcome:
        Journal(store, "r1").begin("screen", org, clock.now(), dry_run=False, options={})
        with store.transaction() as connection:
            kept = json.dumps(asdict(process)) if process else None
            connection.execute(update(schema.runs).values(process=kept))
        if leased and org is not None:
            take_lease(store, org, "r1", clock.now(), process or HERE)
        clock.time += passed
        return as_it_stands(store, find_run(store, "r1"), clock.now()).outcome

    return stand


@pytest.mark.parametrize(
    ("process", "passed", "expected"),
    [
        (HERE, timedelta(days=9), RunOutcome.RUNNING),
        (GONE, timedelta(0), RunOutcome.KILLED),
        (ELSEWHERE, timedelta(hours=1), RunOutcome.RUNNING),
        (ELSEWHERE, TRUSTED_FOR, RunOutcome.KILLED),
        (None, timedelta(hours=1), RunOutcome.RUNNING),
        (None, TRUSTED_FOR, RunOutcome.KILLED),
    ],
)
def test_a_screening_is_at_work_while_its_process_is(
    outcome: Begin, process: Any, passed: timedelta, expected: RunOutcome
) -> None:
    assert outcome(process, passed) is expected


@pytest.mark.parametrize(
    ("process", "leased", "passed", "expected"),
    [
        (HERE, True, timedelta(0), RunOutcome.RUNNING),
        (HERE, False, timedelta(0), RunOutcome.KILLED),
        (GONE, True, timedelta(0), RunOutcome.KILLED),
        (ELSEWHERE, True, timedelta(minutes=1), RunOutcome.RUNNING),
        (ELSEWHERE, True, timedelta(minutes=16), RunOutcome.KILLED),
    ],
)
def test_a_sync_is_at_work_while_it_holds_its_lease(
    store: Store, outcome: Begin, process: Any, leased: bool, passed: timedelta, expected: RunOutcome
) -> None:
    org = register_org(store, Org("memory", "1", "One", production=False))

    assert outcome(process, passed, org=org, leased=leased) is expected


def test_a_run_tells_where_its_records_are(store: Store, clock: SetClock) -> None:
    org = register_org(store, Org("memory", "1", "One", production=False, address="https://one.example"))
    Journal(store, "r1").begin("memory", org, clock.now(), dry_run=False, options={})

    run = find_run(store, "r1")

    assert (run.org, run.address, run.process) == ("One", "https://one.example", HERE)


@pytest.mark.parametrize(("process", "ended"), [(HERE, 0), (GONE, 1), (ELSEWHERE, 0), (None, 0)])
def test_a_screening_whose_process_is_gone_is_ended_in_the_history(
    store: Store, outcome: Begin, clock: SetClock, process: Any, ended: int
) -> None:
    outcome(process, timedelta(minutes=1))

    assert end_killed_screenings(store, clock.now()) == ended
    assert end_killed_screenings(store, clock.now()) == 0

    kept = find_run(store, "r1")
    assert kept.outcome is (RunOutcome.KILLED if ended else RunOutcome.RUNNING)
    assert (kept.ended_at is not None) == bool(ended)


def test_a_sync_is_left_to_the_next_one_of_its_account(store: Store, outcome: Begin, clock: SetClock) -> None:
    org_id = register_org(store, Org("memory", "1", "One", production=False))
    outcome(GONE, timedelta(0), org=org_id)

    assert end_killed_screenings(store, clock.now()) == 0
