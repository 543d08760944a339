"""Killed anywhere, whoever it is, a sync in partitions comes to the end state of an unbroken one, and adds up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.errors import Terminated, UnreachableError
from ringfence.core.model.policy import Policy
from ringfence.core.model.values import Change, RowResult
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state import schema
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.divided import Divided, add_up, figures, people, plain, verdicts
from testkit.part_workers import Threads

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """Ends a process in the middle of an instruction: nothing of it is cleaned up."""


class DyingCrm(MemoryCrm):
    """The view of the account that one process has, which dies with its so-maniest call of this kind."""

    calls_left = 0
    after = False

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        self.calls_left -= 1
        if self.calls_left == 0 and not self.after:
            raise Killed
        results = super().write(changes)
        if self.calls_left == 0:
            raise Killed
        return results


def dying(crm: MemoryCrm, *, at: int, after: bool) -> MemoryCrm:
    view = DyingCrm(crm.shapes, crm.clock)
    view.rows, view.modified, view.survivors = crm.rows, crm.modified, crm.survivors
    view.calls_left, view.after = at, after
    return view


def with_one_that_dies(at: int, *, after: bool) -> Callable[[SyncJob], Threads]:
    """Return threads of which the one at part 2 dies with its ``at``-th write, before or after it takes effect."""

    def before(job: SyncJob, part: int) -> SyncJob:
        assert isinstance(job.crm, MemoryCrm)
        return replace(job, crm=dying(job.crm, at=at, after=after)) if part == 2 else job

    return lambda job: Threads(job, before)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 3])
def test_a_worker_killed_at_any_write_changes_nothing_about_the_result(
    divided: Divided, crm: MemoryCrm, clock: SetClock, tmp_path: Path, at: int, *, after: bool
) -> None:
    people(crm)
    twin, expected = plain(clock, tmp_path)

    summary = divided(3, with_one_that_dies(at, after=after))

    assert verdicts(crm) == verdicts(twin)
    assert figures(summary)["objects"] == figures(expected)["objects"]
    assert figures(summary)["statuses"] == figures(expected)["statuses"]
    assert summary.complete
    assert summary.reconciled <= 4


class DyingClock:
    """The clock of a process that dies when it looks at it for the so-maniest time."""

    def __init__(self, clock: SetClock, at: int) -> None:
        self._clock = clock
        self._left = at

    def now(self) -> Any:
        self._left -= 1
        if self._left <= 0:
            raise Killed
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


@pytest.mark.parametrize(("at", "again"), [(12, None), (20, 3), (40, None), (90, 3)])
def test_a_run_whose_own_process_is_killed_is_gone_on_with(
    divided: Divided, crm: MemoryCrm, store: Store, clock: SetClock, tmp_path: Path, at: int, again: int | None
) -> None:
    people(crm)
    twin, _ = plain(clock, tmp_path)
    with pytest.raises(Killed):
        divided(4, Threads, clock=DyingClock(clock, at))
    clock.advance(hours=1)

    job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock)
    summary = divided(again) if again else run_sync(job, SyncOptions())
    add_up(summary)

    assert verdicts(crm) == verdicts(twin)
    assert summary.complete
    with store.transaction() as connection:
        assert summary.run_id not in connection.scalars(
            select(schema.batches.c.run_id).where(schema.batches.c.settled_at.is_(None))
        )


def test_a_worker_that_is_asked_to_end_hands_its_part_back(
    divided: Divided, crm: MemoryCrm, clock: SetClock, tmp_path: Path
) -> None:
    people(crm)
    twin, expected = plain(clock, tmp_path)
    asked: list[int] = []

    def before(job: SyncJob, part: int) -> SyncJob:
        def must_end() -> bool:
            asked.append(part)
            return part == 1 and len(asked) > 6

        return replace(job, must_end=must_end)

    made: list[Threads] = []

    def workers(job: SyncJob) -> Threads:
        made.append(Threads(job, before))
        return made[0]

    summary = divided(3, workers)

    assert {type(error) for error in made[0].errors} == {Terminated}
    assert verdicts(crm) == verdicts(twin)
    assert figures(summary)["objects"] == figures(expected)["objects"]


class Failing(MemoryCrm):
    """An account whose records behind a place cannot be read."""

    def open_range(self, object_name: str, range_: str, position: str | None = None) -> Any:
        raise UnreachableError("The CRM does not answer.", "Try again later.")


def test_a_part_that_fails_ends_the_run_as_a_failing_read_does(divided: Divided, crm: MemoryCrm, store: Store) -> None:
    people(crm)

    def before(job: SyncJob, part: int) -> SyncJob:
        view = Failing(crm.shapes, crm.clock)
        view.rows, view.modified = crm.rows, crm.modified
        return replace(job, crm=view) if part == 2 else job

    summary = divided(3, lambda job: Threads(job, before))

    assert summary.to_json()["exit_code"] == 4
    assert summary.to_json()["message"] == "The CRM does not answer."
    assert not summary.complete
    with store.transaction() as connection:
        assert connection.scalars(select(schema.cursors.c.cursor)).all() == []
    assert crm.rows["people"]["p003"]["rf_mobile_status"] == "do_not_contact"

    assert divided(3).complete
    assert list_runs(store)[0].outcome.value == "done"
