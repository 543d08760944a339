"""The turn of ``ringfence schedule``: what it does while the store is away, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from typer.core import TyperGroup

from ringfence.apps.cli.app import app
from ringfence.apps.cli.unattended import read_command_line
from ringfence.apps.operations.schedule import LoadedSchedule, load_schedule
from ringfence.apps.wiring import Wiring, wire
from ringfence.apps.worker import scheduling
from ringfence.apps.worker.scheduling import Outcome, Shift, run_schedule
from ringfence.core.errors import StateError, StoppedError
from ringfence.core.ports.jobs import Tally
from ringfence.core.state.jobs.workers import registered
from ringfence.core.state.ticks import Ticks
from testkit.clock import SetClock

HOURLY = "jobs: [{name: look, run: check, every: 1h}, {name: often, run: sync salesforce, every: 20m}]"


def load(wiring: Wiring, file: Path) -> LoadedSchedule:
    group = cast("TyperGroup", typer.main.get_command(app))
    return load_schedule(wiring, file, lambda text: read_command_line(group, text))


@pytest.fixture
def wiring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: SetClock) -> Wiring:
    """Give the wiring of a folder of one's own, by the clock of the test."""
    monkeypatch.chdir(tmp_path)
    return Wiring(wire().settings, clock)


@pytest.fixture
def loaded(wiring: Wiring) -> LoadedSchedule:
    Path("schedule.yaml").write_text(HOURLY)
    return load(wiring, Path("schedule.yaml"))


@pytest.fixture
def run_for(wiring: Wiring, loaded: LoadedSchedule, clock: SetClock) -> Callable[..., Outcome]:
    """Run the schedule for so many hours of the test's clock; carrying jobs out takes no time and does nothing."""

    given = loaded, wiring

    def run(
        hours: float,
        *,
        work: bool | None = False,
        loaded: LoadedSchedule = given[0],
        wiring: Wiring = given[1],
    ) -> Outcome:
        until = clock.monotonic() + hours * 3600
        shift = Shift(
            work=work,
            concurrency=1,
            health_file=Path("health"),
            must_end=lambda: clock.monotonic() >= until,
            forward=lambda _line: None,
            began=lambda _queues: None,
        )
        return run_schedule(wiring, loaded, shift)

    return run


def queued(wiring: Wiring) -> list[Sequence[str]]:
    store = wiring.open_state()
    found = [job.arguments["argv"] for job in wiring.open_jobs(store).list()]
    store.close()
    return found


def test_what_falls_due_is_put_on_record(run_for: Callable[..., Outcome], wiring: Wiring) -> None:
    outcome = run_for(1.1)

    assert sorted(queued(wiring)) == [["check"], ["sync", "salesforce"]]
    assert outcome.as_dict() == {"started": 2, "left_out": 2}
    assert not Path("health").exists()


def test_a_store_that_is_away_is_waited_for(
    run_for: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, calls = Ticks.over_time, iter(range(1000))

    def be_away(self: Ticks, *arguments: Any) -> Any:
        if 3 < next(calls) < 50:
            raise StoppedError("The state store cannot be reached.", "")
        return real(self, *arguments)

    monkeypatch.setattr(Ticks, "over_time", be_away)

    assert run_for(1.1).started == 2
    assert caplog.text.count("The schedule waits for it.") == 1


def test_what_ends_the_work_ends_the_schedule(
    run_for: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    def fail(*_: Any, **__: Any) -> Tally:
        raise StateError("This state store was moved.", "")

    monkeypatch.setattr(scheduling, "work_off", fail)

    with pytest.raises(StateError, match="was moved"):
        run_for(1000, work=None)


def test_without_a_server_this_process_does_the_work(
    run_for: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "work_off", lambda *_, **__: Tally(done=5))

    assert run_for(0.1, work=None).as_dict()["jobs"]["done"] == 5


def test_it_is_said_whose_jobs_nobody_takes(run_for: Callable[..., Outcome], caplog: pytest.LogCaptureFixture) -> None:
    run_for(0.1)

    assert "No `ringfence worker` takes jobs of default, salesforce right now" in caplog.text


def test_a_sync_of_all_is_a_job_for_each_account_here_and_of_other_workers(
    wiring: Wiring, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_for: Callable[..., Outcome]
) -> None:
    accounts = tmp_path / "accounts"
    accounts.mkdir()
    (accounts / "acme.env").write_text("RINGFENCE_HUBSPOT__ACCESS_TOKEN=pat-acme\n")
    monkeypatch.setenv("RINGFENCE_ACCOUNTS", str(accounts))
    here = Wiring(wire().settings, clock)
    Path("all.yaml").write_text("jobs: [{name: all, run: sync --all --full --yes, every: 1h}]")
    loaded = load(here, Path("all.yaml"))

    with closing(here.open_state()) as store, registered(store, clock, ["default", "acme", "globex"]):
        run_for(1.1, loaded=loaded, wiring=here)
        found = {job.queue: job for job in here.open_jobs(store).list()}

    assert {queue: job.arguments["argv"] for queue, job in found.items()} == {
        "acme": ["sync", "acme", "--full", "--yes"],
        "globex": ["sync", "globex", "--full", "--yes"],
    }
    assert found["globex"].lock == "sync:globex"


def test_it_is_said_that_nobody_has_an_account(
    wiring: Wiring, run_for: Callable[..., Outcome], caplog: pytest.LogCaptureFixture
) -> None:
    Path("all.yaml").write_text("jobs: [{name: all, run: sync --all --yes, every: 1h}]")
    loaded = load(wiring, Path("all.yaml"))

    run_for(1.1, loaded=loaded)

    assert "all: no account is set here" in caplog.text
    assert queued(wiring) == []
