"""Jobs that are commands: what the exit code and the document of a command make of its job."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from ringfence.apps.operations.kept_connections import KeptConnections
from ringfence.apps.wiring import wire
from ringfence.apps.worker import command
from ringfence.apps.worker.handlers import make_handlers
from ringfence.core.errors import ErrorCode
from ringfence.core.ports.jobs import AttemptError, Job, JobRequest, JobState

from .conftest import Cli

GUARD = {"error": "GuardError", "message": "Too much.", "remedy": "Look.", "exit_code": 4, "code": "mass_change"}


def conclude(code: int, document: dict[str, Any], last_line: str = "") -> str | None:
    return command._conclude(code, document, last_line)


def failure(code: int, document: dict[str, Any], last_line: str = "") -> AttemptError:
    """Return how an attempt fails by this exit code."""
    with pytest.raises(AttemptError) as caught:
        conclude(code, document, last_line)
    return caught.value


def carry_out(*argv: str) -> Job:
    """Return the job of a command once a worker has dealt with it."""
    wiring = wire()
    with closing(wiring.open_state()) as store:
        jobs = wiring.open_jobs(store)
        (job_id,) = jobs.enqueue([JobRequest("command", {"argv": list(argv)})])
        jobs.work(make_handlers(wiring, lambda _line: None, KeptConnections()), ["default"], until_empty=True)
        return jobs.find(str(job_id))


def test_what_is_done_is_done() -> None:
    assert conclude(0, {}) is None
    assert "some rows were refused" in (conclude(1, {}) or "")


def test_a_failure_keeps_what_the_command_said() -> None:
    guard = failure(4, GUARD, "something else")

    assert (guard.exit_code, guard.name, guard.code) == (4, "GuardError", ErrorCode.MASS_CHANGE)
    assert str(guard) == "Too much. Look."


def test_without_a_document_the_last_line_tells() -> None:
    assert failure(70, {}, "Error: on fire").message == "Error: on fire"
    assert failure(3, {}).message == "The command ended with exit code 3."


@pytest.mark.parametrize(("code", "exit_code"), [(130, 4), (143, 4), (-9, 70), (-11, 70)])
def test_a_command_that_was_ended_from_outside(code: int, exit_code: int) -> None:
    assert failure(code, {}).exit_code == exit_code


@pytest.mark.slow
def test_a_command_is_carried_out_and_its_words_are_kept(cli: Cli) -> None:
    refused = carry_out("runs", "show", "nothing")

    assert refused.state is JobState.FAILED
    assert refused.attempts == 1
    assert "nothing" in refused.error
    assert "`ringfence runs list`" in refused.error
    assert refused.progress is not None
    assert refused.progress["exit_code"] == 2


def test_a_job_that_names_no_command_fails(cli: Cli) -> None:
    nothing = carry_out()

    assert nothing.state is JobState.FAILED
    assert "names no command" in nothing.error
