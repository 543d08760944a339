"""The service's own work on jobs: what ends it is told, and it begins again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ringfence.apps.settings import build_settings
from ringfence.apps.web import crew as crews
from ringfence.apps.web.crew import Crew, working
from ringfence.apps.wiring import Wiring
from ringfence.core.ports.jobs import JobRequest, JobState
from testkit.jobs import wait_until


def test_work_that_an_error_ended_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(crews, "AGAIN_S", 0.01)
    wiring = Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/later/state.db"}))
    crew = Crew(wiring, 1, lambda _line: None)

    with working(crew):
        wait_until(lambda: "Jobs are not worked off" in caplog.text)
        assert not crew.is_working()

        (tmp_path / "later").mkdir()
        wait_until(crew.is_working)
        with closing(wiring.open_state()) as store:
            jobs = wiring.open_jobs(store)
            (job_id,) = jobs.enqueue([JobRequest("nobody knows this kind")])
            wait_until(lambda: jobs.find(str(job_id)).state is JobState.FAILED)

    assert caplog.text.count("Jobs are not worked off") == 1
    assert crew.tally.failed == 1
    assert not crew.is_working()
