"""``ringfence state move``: what it prints, and whose key it is afterwards."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.apps.cli.app import run
from ringfence.apps.wiring import wire
from ringfence.core.ports.jobs import JobRequest
from testkit.commands import Cli, Result
from testkit.postgres import PostgresServer


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in a folder whose state holds a purge."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, url: str = "sqlite:///ringfence.db", key: str = "") -> Result:
        monkeypatch.setenv("RINGFENCE_STATE_URL", url)
        monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", key)
        capsys.readouterr()
        code = run(list(words))
        told = capsys.readouterr()
        return Result(code, told.out, told.err)

    assert call("state", "purge").code == 0
    return call


def test_to_another_file_the_key_goes_along(command: Cli, tmp_path: Path) -> None:
    moved = command("state", "move", "--to", f"sqlite:///{tmp_path}/new.db", "--json")
    old = command("runs", "list", "--json")
    new = command("runs", "list", "--json", url="sqlite:///new.db")

    assert moved.code == 0, moved.err
    assert moved.document["verified"] is True
    assert moved.document["moved"]["runs"] == 1
    assert (old.code, "was moved to" in old.err) == (2, True)
    assert new.code == 0
    assert len(new.document["runs"]) == 1
    assert (tmp_path / "new.key").read_bytes() == (tmp_path / "ringfence.key").read_bytes()
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600


def test_to_a_server_it_is_said_which_key_to_set_and_the_key_is_not_shown(
    command: Cli, tmp_path: Path, postgres: PostgresServer
) -> None:
    key = (tmp_path / "ringfence.key").read_text().strip()
    with postgres.database() as url:
        moved = command("state", "move", "--to", url)
        new = command("runs", "list", "--json", url=url, key=key)

    assert moved.code == 0, moved.err
    assert "RINGFENCE_ENCRYPTION_KEY to the content of" in " ".join(moved.out.split())
    assert key not in moved.out + moved.err
    assert len(json.loads(new.out)["runs"]) == 1


def test_a_target_in_use_is_refused(command: Cli) -> None:
    refused = command("state", "move", "--to", "sqlite:///ringfence.db", "--json")

    assert refused.code == 2
    assert "is not empty" in refused.document["message"]
    assert command("runs", "list", "--json").code == 0


def test_jobs_that_wait_are_not_left_behind(command: Cli) -> None:
    wiring = wire()
    with closing(wiring.open_state()) as store:
        (job_id,) = wiring.open_jobs(store).enqueue([JobRequest("command", {"argv": ["check"]})])
    assert job_id is not None

    refused = command("state", "move", "--to", "sqlite:///new.db", "--json")
    cancelled = command("jobs", "cancel", job_id, "--json")
    moved = command("state", "move", "--to", "sqlite:///new.db", "--json")

    assert refused.code == 4
    assert f"1 jobs wait or run on the state store, job {job_id}" in refused.document["message"]
    assert "`ringfence jobs list`" in refused.document["remedy"]
    assert (cancelled.code, moved.code) == (0, 0)
    assert command("jobs", "list", "--json", url="sqlite:///new.db").document == {"jobs": []}
