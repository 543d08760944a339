"""Faults of Twilio Lookup: errors, what is billed, and packages that fail inside a 200."""

from __future__ import annotations

import pytest

from .conftest import World

NUMBER = "+12015550123"


def rule(fault: str, when: str = "") -> str:
    return f"{{service: twilio, when: {{{when}}}, fault: {{{fault}}}}}"


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (429, 20429), (500, 20500), (503, 20503)])
def test_a_refusal_has_the_body_of_the_service_and_bills_nothing(world: World, status: int, code: int) -> None:
    before = world.sandbox.twilio.billed.total()
    world.faults(rule(f"kind: refuse, status: {status}, retry_after: 4", "nth: 1"))
    answer = world.twilio()
    body = answer.json()

    assert (answer.status_code, body["code"], body["status"]) == (status, code, status)
    assert answer.headers["Retry-After"] == "4"
    assert world.sandbox.twilio.billed.total() == before
    assert world.twilio().status_code == 200


def test_what_the_edge_refuses_is_a_web_page(world: World) -> None:
    world.faults(rule("kind: refuse, status: 502"))
    answer = world.twilio()

    assert (answer.status_code, "<html>" in answer.text, "Retry-After" in answer.headers) == (502, True, False)


def test_a_number_of_ones_own_replaces_the_services(world: World) -> None:
    world.faults(rule("kind: refuse, status: 400, code: 60600, message: Unavailable"))
    assert world.twilio().json()["code"] == 60600


@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        ("kind: refuse, status: 500, after_commit: true", 1),
        ("kind: refuse, status: 502, after_commit: true", 1),
        ("kind: html, after_commit: true", 1),
        ("kind: html, status: 200", 0),
        ("kind: fail_packages, error_code: 60611", 0),
        ("kind: fail_packages, error_code: 60610", 1),
        ("kind: fail_packages, packages: [line_status]", 1),
        ("kind: empty", 0),
        ("kind: truncate", 1),
    ],
)
def test_what_is_carried_out_is_billed(world: World, fault: str, billed: int) -> None:
    counts = world.sandbox.twilio.billed
    before = counts[NUMBER]
    world.faults(rule(fault))

    with world.twilio(stream=True):
        assert counts[NUMBER] == before + billed


def test_a_package_fails_inside_a_200_and_the_others_answer(world: World) -> None:
    world.faults(rule("kind: fail_packages, error_code: 60616, packages: [line_status]", "nth: 1"))
    answer = world.twilio()
    body = answer.json()

    assert answer.status_code == 200
    assert body["line_status"] == {"status": None, "error_code": 60616}
    assert body["line_type_intelligence"]["error_code"] is None
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert world.twilio().json()["line_status"]["error_code"] != 60616


def test_a_package_that_was_not_asked_for_stays_out(world: World) -> None:
    world.faults(rule("kind: fail_packages"))
    assert world.twilio(params={"Fields": "sim_swap"}).json()["line_status"] is None


def test_its_limit_per_second_can_be_set(world: World) -> None:
    world.faults("", "twilio: {requests_per_second: 2}")
    world.sandbox.clock.advance(5)

    assert [world.twilio().status_code for _ in range(3)] == [200, 200, 429]


def test_its_clock_can_be_off(world: World) -> None:
    world.faults("", "twilio: {clock_skew_s: 3600}")
    off = world.sandbox.twilio.clock.now() - world.sandbox.clock.now()

    assert off.total_seconds() == pytest.approx(3600, abs=1)

    world.sandbox.twilio.clock.advance(10)
    off = world.sandbox.twilio.clock.now() - world.sandbox.clock.now()

    assert off.total_seconds() == pytest.approx(3600, abs=1)
