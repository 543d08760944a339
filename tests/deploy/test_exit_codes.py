"""What docs/operations.md says about exit codes is what the files of deploy/ do about them."""

from __future__ import annotations

from ringfence.apps.cli import exit_codes
from ringfence.core.errors import FixError, RefusedError, RingfenceError, StoppedError
from ringfence.core.state.jobs.retries import Failure, decide

from .exit_code_table import DEPLOY, codes_with, read_table
from .manifests import manifests
from .units import SERVICES, directive


def test_the_table_has_every_exit_code() -> None:
    of_runs = {getattr(exit_codes, name) for name in exit_codes.__all__ if name.isupper()}
    of_errors = {kind.exit_code for kind in (FixError, RefusedError, StoppedError, RingfenceError)}

    assert set(read_table()) == of_runs | of_errors


def test_systemd_starts_again_what_the_table_says() -> None:
    unit = DEPLOY / "systemd" / "ringfence-sync.service"

    assert directive(unit, "Restart") == ["on-failure"]
    assert {0, *map(int, directive(unit, "SuccessExitStatus"))} == codes_with("systemd", "done")
    assert set(map(int, directive(unit, "RestartPreventExitStatus"))) == codes_with("systemd", "left to the timer")


def test_jobs_of_a_worker_are_tried_again_as_the_table_says() -> None:
    failed = [kind.exit_code for kind in (FixError, RefusedError, StoppedError, RingfenceError)]

    for code in failed:
        pauses = [decide(Failure(code, frozenset(), ""), attempts=each, faults=each, jitter=0) for each in (1, 2)]
        row = read_table()[code]
        assert ["tried again" if pause else "failed" for pause in pauses] == [row.first_try, row.second_try]


def test_services_that_stay_come_back_unless_a_person_is_needed() -> None:
    staying = [unit for unit in SERVICES if directive(unit, "Type") == ["exec"]]

    assert {unit.stem for unit in staying} == {"ringfence-worker", "ringfence-schedule", "ringfence-serve"}
    for unit in staying:
        assert set(map(int, directive(unit, "RestartPreventExitStatus"))) == codes_with("first_try", "failed")


def test_a_job_of_kubernetes_gives_up_where_the_table_says() -> None:
    (job,) = [each["spec"]["jobTemplate"]["spec"] for each in manifests() if each["kind"] == "CronJob"]

    rules = [rule for rule in job["podFailurePolicy"]["rules"] if rule["action"] == "FailJob"]

    assert [rule["onExitCodes"]["operator"] for rule in rules] == ["In"]
    assert set(rules[0]["onExitCodes"]["values"]) == codes_with("kubernetes", "failed")
    assert job["backoffLimit"] > 0
