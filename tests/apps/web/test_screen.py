"""`/v1/screen` and checks that are bought: within the caps, once for each number, whatever the caller waits for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.core.ports.jobs import JobState
from ringfence.core.state import schema
from ringfence.sandbox.server import Sandbox
from testkit.jobs import wait_until
from testkit.served import RunningService, running_service

DEAD, LIVE, LATE = "+12127365300", "+12127365301", "+12127365302"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give a sandbox whose provider knows one number to be out of service."""
    with Sandbox(contacts=3) as running:
        running.twilio.answers[DEAD] = {"line_status": {"status": "inactive", "error_code": None}}
        running.twilio.answers[LIVE] = {"line_status": {"status": "active", "error_code": None}}
        yield running


def wire_to(sandbox: Sandbox, folder: Path, **more: str) -> Wiring:
    twilio = {name: value for name, value in sandbox.settings().items() if "TWILIO" in name}
    settings = {"RINGFENCE_STATE_URL": f"sqlite:///{folder / 'state.db'}", "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]'}
    return Wiring(build_settings({**settings, **twilio, **more}))


@pytest.fixture(scope="module")
def buying(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Give a service that may buy lookups."""
    wiring = wire_to(sandbox, tmp_path_factory.mktemp("buying"), RINGFENCE_LOOKUP__MAX_PER_DAY="1000")
    with running_service(wiring) as running:
        yield running


def screen(service: RunningService, **question: Any) -> list[dict[str, Any]]:
    answer = service.post("/v1/screen", role="operator", json=question)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def check(service: RunningService, number: str, **more: Any) -> dict[str, Any]:
    answer = service.post("/v1/check", role="operator", json={"number": number, **more})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def count_waiting(service: RunningService) -> int:
    with service.service.store.transaction() as connection:
        return len(connection.execute(schema.asked_checks.select()).all())


def test_numbers_are_looked_up_once_and_answered_in_the_order_of_the_question(
    buying: RunningService, sandbox: Sandbox
) -> None:
    results = screen(buying, numbers=[DEAD, "nonsense", LIVE, "(212) 736-5300"], region="US", wait_s=25)

    assert [each["status"] for each in results] == ["disconnected", "invalid", "active", "disconnected"]
    assert [each["number"] for each in results] == [DEAD, None, LIVE, DEAD]
    assert [each["callable"] for each in results] == [False, False, True, False]
    assert all(each["fresh"] for each in results)
    assert not any(each["queued"] for each in results)
    assert results[0]["last_screened"].endswith("Z")
    assert sandbox.twilio.billed[DEAD] == sandbox.twilio.billed[LIVE] == 1

    known = check(buying, DEAD)
    assert (known["status"], known["fresh"], known["last_screened"]) == (
        "disconnected",
        True,
        results[0]["last_screened"],
    )
    assert screen(buying, number=DEAD)[0] == results[0]
    assert sandbox.twilio.billed[DEAD] == 1
    assert count_waiting(buying) == 0


def test_what_is_left_out_may_be_null_and_a_number_empty(buying: RunningService) -> None:
    one = screen(buying, number="nonsense", numbers=None, region=None, wait_s=None)

    assert screen(buying, number=None, numbers=["nonsense"]) == one
    assert screen(buying, number="", numbers=["nonsense"]) == one
    assert screen(buying, number="")[0]["reason"] == screen(buying, numbers=[""])[0]["reason"] == one[0]["reason"]
    for neither in ({}, {"number": None, "numbers": None}, {"numbers": []}, {"number": LIVE, "numbers": [LIVE]}):
        assert buying.post("/v1/screen", role="operator", json=neither).status_code == 422


def test_who_does_not_wait_gets_what_is_known_and_the_lookup_goes_on(buying: RunningService, sandbox: Sandbox) -> None:
    (first,) = screen(buying, number=LATE, wait_s=0)

    assert (first["status"], first["fresh"], first["queued"], first["callable"]) == ("valid", False, True, True)
    wait_until(lambda: check(buying, LATE)["fresh"])
    assert sandbox.twilio.billed[LATE] == 1


def test_a_check_queues_its_lookup_once_and_only_where_it_tells_more(buying: RunningService, sandbox: Sandbox) -> None:
    number = "+12127365303"
    asked = [check(buying, number, queue=True) for _ in range(5)]

    assert asked[0]["queued"] is True
    wait_until(lambda: check(buying, number)["fresh"])
    assert check(buying, number, queue=True)["queued"] is False
    assert check(buying, "nonsense", queue=True)["queued"] is False
    assert sandbox.twilio.billed[number] == 1
    wait_until(lambda: count_waiting(buying) == 0)


def test_what_opted_out_is_never_bought(buying: RunningService, sandbox: Sandbox) -> None:
    number = "+12127365304"
    buying.post("/v1/suppressions", role="compliance", json={"number": number, "reason": "asked"})

    (found,) = screen(buying, number=number, wait_s=25)

    assert (found["status"], found["callable"], found["fresh"], found["queued"]) == (
        "do_not_contact",
        False,
        True,
        False,
    )
    assert number not in sandbox.twilio.billed


def test_no_job_and_no_column_holds_a_number(buying: RunningService) -> None:
    number = "+12127365305"
    screen(buying, number=number, wait_s=25)

    jobs = buying.service.jobs.list(limit=100)
    assert {job.kind for job in jobs} == {"asked_checks"}
    assert all("7365" not in str(job.arguments) + job.error for job in jobs)
    assert all(job.state in (JobState.DONE, JobState.RUNNING, JobState.WAITING) for job in jobs)
    with buying.service.store.transaction() as connection:
        kept = [str(row) for row in connection.execute(schema.runs.select())]
    assert not any("7365" in each for each in kept)


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"number": "", "numbers": []},
        {"number": LIVE, "numbers": [DEAD]},
        {"numbers": [LIVE] * 101},
        {"numbers": [1]},
        {"number": LIVE, "wait_s": 26},
        {"number": LIVE, "wait_s": -1},
        {"number": LIVE, "wait_s": "5"},
        {"number": LIVE, "purpose": "marketing"},
    ],
)
def test_a_question_that_is_not_as_described_is_422(buying: RunningService, question: dict[str, Any]) -> None:
    assert buying.post("/v1/screen", role="operator", json=question).status_code == 422


def test_screening_takes_an_operator(buying: RunningService) -> None:
    for role in ("form", "viewer", "compliance"):
        assert buying.post("/v1/screen", role=role, json={"number": LIVE}).status_code == 403


def test_without_a_cap_of_the_day_nothing_is_bought(sandbox: Sandbox, tmp_path: Path) -> None:
    number = "+12127365306"
    with running_service(wire_to(sandbox, tmp_path, RINGFENCE_LOOKUP__MAX_LOOKUPS="5")) as service:
        (found,) = screen(service, number=number, wait_s=25)

        assert (found["status"], found["fresh"], found["queued"]) == ("valid", False, False)
        assert check(service, number, queue=True)["queued"] is False
    assert number not in sandbox.twilio.billed


def test_what_the_cap_of_the_day_has_no_room_for_is_not_waited_for(sandbox: Sandbox, tmp_path: Path) -> None:
    numbers = [f"+1212736531{each}" for each in range(3)]
    with running_service(wire_to(sandbox, tmp_path, RINGFENCE_LOOKUP__MAX_PER_DAY="1")) as service:
        results = screen(service, numbers=numbers, wait_s=25)

        assert sum(each["fresh"] for each in results) == 1
        assert sum(each["queued"] for each in results) == 2
        assert count_waiting(service) == 2
    assert sum(sandbox.twilio.billed[each] for each in numbers) == 1
