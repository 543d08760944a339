"""``ringfence jobs``: what waits, runs and has failed, for people and for programs."""

from __future__ import annotations

from contextlib import closing

import pytest

from ringfence.apps.wiring import wire
from ringfence.core.ports.jobs import JobRequest, Tally

from .conftest import Cli


@pytest.fixture
def queued(cli: Cli) -> list[str]:
    """Give the ids of a command that waits, and of a job that failed because nobody knows its kind."""
    wiring = wire()
    with closing(wiring.open_state()) as store:
        jobs = wiring.open_jobs(store)
        failing = jobs.enqueue([JobRequest("polish")])
        assert jobs.work({}, ["default"], until_empty=True) == Tally(failed=1)
        ids = [*jobs.enqueue([JobRequest("command", {"argv": ["sync", "--all"]}, queue="salesforce")]), *failing]
    return [job_id for job_id in ids if job_id is not None]


def test_jobs_are_listed_newest_first(cli: Cli, queued: list[str]) -> None:
    document = cli("jobs", "list", "--json").document

    first, second = document["jobs"]
    assert (first["id"], first["kind"], first["state"], first["attempts"]) == (queued[0], "command", "waiting", 0)
    assert (second["id"], second["state"], second["attempts"]) == (queued[1], "failed", 1)
    assert first["error"] is None
    assert "knows no jobs of the kind 'polish'" in second["error"]
    assert first["queued_at"].endswith("+00:00")


def test_a_table_says_what_each_is_for(cli: Cli, queued: list[str]) -> None:
    lines = cli("jobs", "list").out.splitlines()

    assert lines[0].split()[:4] == ["id", "queued", "(UTC)", "what"]
    assert "sync --all" in lines[1]
    assert "failed" in lines[2]


def test_only_those_in_a_state(cli: Cli, queued: list[str]) -> None:
    assert [job["id"] for job in cli("jobs", "list", "--state", "failed", "--json").document["jobs"]] == [queued[1]]

    wrong = cli("jobs", "list", "--state", "faild")
    assert wrong.code == 2
    assert "'failed'" in wrong.err


def test_no_state_means_no_jobs_and_makes_no_file(cli: Cli) -> None:
    assert cli("jobs", "list", "--json").document == {"jobs": []}
    assert cli("jobs", "show", "1").code == 2
    assert wire().open_state_if_there() is None


def test_a_failed_job_waits_again(cli: Cli, queued: list[str]) -> None:
    retried = cli("jobs", "retry", queued[1], "--json")

    assert retried.code == 0
    assert (retried.document["state"], retried.document["attempts"], retried.document["error"]) == ("waiting", 0, None)
    again = cli("jobs", "retry", queued[1])
    assert again.code == 2
    assert "is waiting" in again.err


def test_a_job_that_waits_is_cancelled(cli: Cli, queued: list[str]) -> None:
    assert cli("jobs", "cancel", queued[0], "--json").document["state"] == "cancelled"

    again = cli("jobs", "cancel", queued[0])
    assert again.code == 2
    assert "is cancelled already" in again.err


@pytest.mark.parametrize("job_id", ["7777", "nothing", "9" * 40, "²"])
def test_an_id_that_is_none(cli: Cli, queued: list[str], job_id: str) -> None:
    for verb in ("show", "retry", "cancel"):
        shown = cli("jobs", verb, job_id)
        assert shown.code == 2
        assert "There is no job" in shown.err
        assert "`ringfence jobs list` shows the ids." in shown.err


def test_a_job_in_words(cli: Cli, queued: list[str]) -> None:
    shown = cli("jobs", "show", queued[1]).out

    assert f"job {queued[1]}: polish" in shown
    assert "failed, 1 attempt" in shown
    assert "in the queue default" in shown
