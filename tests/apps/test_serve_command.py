"""``ringfence serve``: where it listens, that it works jobs off, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest
import requests

from ringfence.core.clock import SystemClock
from ringfence.core.ports.jobs import JobRequest, JobState
from ringfence.core.state.store import open_store
from testkit.jobs import open_engine, wait_until
from testkit.postgres import key_of
from testkit.raw_http import wire_to
from testkit.serve_processes import serve_process
from testkit.worker_processes import settings_of

from .conftest import Cli

ONLY_FILE = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
END_S = 30


def test_a_port_that_is_taken_is_told(cli: Cli) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        refused = cli("serve", "--port", str(taken.getsockname()[1]), "--json")

    assert refused.code == 2
    assert "is taken by another process" in refused.document["message"]
    assert "--port" in refused.document["remedy"]


def test_for_others_it_needs_a_token(cli: Cli) -> None:
    refused = cli("serve", "--host", "0.0.0.0", "--port", "0", "--json")

    assert refused.code == 2
    assert "no token" in refused.document["message"]
    assert "ringfence tokens add" in refused.document["remedy"]


def test_no_jobs_at_once_would_do_nothing(cli: Cli) -> None:
    assert cli("serve", "--concurrency", "0", "--json").code == 2


@pytest.mark.slow
@pytest.mark.both_engines
def test_it_carries_out_jobs_and_answers_what_it_accepted(state_url: str, tmp_path: Path) -> None:
    with serve_process(state_url, tmp_path, RINGFENCE_LOG="json") as served:
        wait_until(lambda: requests.get(f"{served.url}/readyz", timeout=5).ok)
        with closing(open_store(state_url, key_of(state_url))) as store:
            engine = open_engine(store, SystemClock())
            (job_id,) = engine.enqueue([JobRequest("command", {"argv": ["jobs", "list"]})])
            wait_until(lambda: engine.find(str(job_id)).state is JobState.DONE)

        with wire_to(served.url) as wire:
            wire.head("POST", "/nothing", {"Content-Length": "2", "X-Request-Id": "half-way"})
            wire.send("{")
            served.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not accepts(served.url))
            wire.send("}")
            status, headers, _ = wire.answer()
        out, _ = served.process.communicate(timeout=END_S)

    assert (status, headers["x-request-id"]) == (404, "half-way")
    assert served.process.returncode == 0
    document = json.loads(out)
    assert document["jobs"]["done"] == 1
    assert document["requests"] >= 2
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if line.startswith("{")]
    assert {"method": "POST", "status": 404, "request_id": "half-way"}.items() <= next(
        line for line in lines if line.get("request_id") == "half-way"
    ).items()


@pytest.mark.slow
@ONLY_FILE
def test_ctrl_c_ends_it_too(state_url: str, tmp_path: Path) -> None:
    with serve_process(state_url, tmp_path) as served:
        began = time.monotonic()
        out = served.end(signal.SIGINT)

    assert served.process.returncode == 130
    assert json.loads(out)["requests"] == 0
    assert time.monotonic() - began < END_S


@pytest.mark.slow
@ONLY_FILE
def test_who_asks_twice_does_not_wait_for_slow_callers(state_url: str, tmp_path: Path) -> None:
    with serve_process(state_url, tmp_path) as served, wire_to(served.url) as wire:
        wire.head("POST", "/nothing", {"Content-Length": "2"})
        served.process.send_signal(signal.SIGINT)
        wait_until(lambda: not accepts(served.url))
        began = time.monotonic()
        served.end(signal.SIGINT)

    assert time.monotonic() - began < 5
    assert served.process.returncode in (130, 143)


@pytest.mark.slow
@pytest.mark.both_engines
def test_two_processes_serve_one_state(
    state_url: str, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings_of(state_url).items():
        monkeypatch.setenv(name, value)
    token = cli("tokens", "add", "flows", "--role", "viewer", "--json").document["token"]
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    def statuses() -> set[int]:
        headers = {"Authorization": f"Bearer {token}"}
        question = {"number": "+14155552671"}
        return {
            requests.post(f"{served.url}/v1/check", json=question, headers=headers, timeout=10).status_code
            for served in (one, two)
        }

    with serve_process(state_url, folders[0]) as one, serve_process(state_url, folders[1]) as two:
        assert statuses() == {200}
        assert cli("tokens", "revoke", "flows").code == 0
        wait_until(lambda: statuses() == {401}, within_s=15)  # five of an idle machine
        for served in (one, two):
            served.end()
            assert served.process.returncode == 0


@pytest.mark.slow
@ONLY_FILE
def test_it_can_begin_again_on_its_port_at_once(state_url: str, tmp_path: Path) -> None:
    with serve_process(state_url, tmp_path) as first:
        port = first.url.rpartition(":")[2]
        with requests.Session() as session:
            assert session.get(f"{first.url}/healthz", timeout=5).ok
            first.process.kill()
            first.process.wait()
            with serve_process(state_url, tmp_path, "--port", port) as second:
                assert requests.get(f"{second.url}/healthz", timeout=5).ok


def accepts(url: str) -> bool:
    """Return whether the server takes new connections."""
    try:
        requests.get(f"{url}/healthz", timeout=5)
    except requests.ConnectionError:
        return False
    return True
