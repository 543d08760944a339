"""Faults of any service, seen through plain `requests` over real sockets."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections.abc import Callable

import pytest
import requests

from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.server import Sandbox

from .conftest import World

SERVICES = ("salesforce", "hubspot", "twilio")
CRMS = ("salesforce", "hubspot")


@pytest.mark.parametrize("service", SERVICES)
def test_a_reset_gives_no_answer_and_the_next_request_passes(world: World, service: str) -> None:
    world.faults(f"{{service: {service}, when: {{nth: 1}}, fault: {{kind: reset}}}}")
    call: Callable[[], requests.Response] = getattr(world, service)
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        call()

    assert call().status_code == 200


@pytest.mark.parametrize("service", CRMS)
def test_a_reset_before_the_request_writes_nothing(world: World, service: str) -> None:
    before = world.phone(service)
    world.faults(f"{{service: {service}, when: {{purpose: write}}, fault: {{kind: reset}}}}")
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        world.write(service, "+1 201 555 0171")

    assert world.phone(service) == before


@pytest.mark.parametrize("service", CRMS)
@pytest.mark.parametrize("kind", ["kind: reset, after_commit: true", "kind: truncate, kept: 0.5"])
def test_an_answer_lost_after_the_commit_leaves_the_row_written(world: World, service: str, kind: str) -> None:
    world.faults(f"{{service: {service}, when: {{purpose: write}}, fault: {{{kind}}}}}")
    with pytest.raises(requests.RequestException):
        world.write(service, f"+1 201 555 0{len(kind)}")

    assert world.phone(service) == f"+1 201 555 0{len(kind)}"


@pytest.mark.parametrize(("after", "billed"), [("false", 0), ("true", 1)])
def test_a_lookup_is_billed_when_it_is_cut_off_after_it_was_carried_out(world: World, after: str, billed: int) -> None:
    number = f"+1201555018{billed}"
    world.faults(f"{{service: twilio, fault: {{kind: reset, after_commit: {after}}}}}")
    with pytest.raises(requests.ConnectionError):
        world.twilio(number)

    assert world.sandbox.twilio.billed[number] == billed


@pytest.mark.parametrize("service", SERVICES)
def test_a_truncated_body_is_shorter_than_it_says(world: World, service: str) -> None:
    world.faults(f"{{service: {service}, when: {{nth: 1}}, fault: {{kind: truncate, kept: 0.25}}}}")
    with getattr(world, service)(stream=True) as answer:
        said = int(answer.headers["Content-Length"])
        parts: list[bytes] = []
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            parts.extend(answer.iter_content(1))

    assert len(parts) == said // 4
    assert getattr(world, service)().status_code == 200


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("status", [200, 503])
def test_a_web_page_comes_where_json_belongs(world: World, service: str, status: int) -> None:
    world.faults(f"{{service: {service}, fault: {{kind: html, status: {status}}}}}")
    answer = getattr(world, service)()

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html" in answer.text


@pytest.mark.parametrize("service", SERVICES)
def test_an_empty_answer_has_no_body(world: World, service: str) -> None:
    world.faults(f"{{service: {service}, fault: {{kind: empty}}}}")
    answer = getattr(world, service)()

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("service", SERVICES)
def test_a_hang_lasts_until_the_client_gives_up(world: World, service: str) -> None:
    world.faults(f"{{service: {service}, when: {{nth: 1}}, fault: {{kind: hang}}}}")
    with pytest.raises(requests.ReadTimeout):
        getattr(world, service)(timeout=0.2)

    assert getattr(world, service)().status_code == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_delay_holds_one_answer_back_and_no_other(world: World, service: str) -> None:
    world.faults(f"{{service: {service}, when: {{nth: 1}}, fault: {{kind: delay, ms: 300}}}}")
    call = getattr(world, service)
    late: list[float] = []

    def slow() -> None:
        started = time.perf_counter()
        call()
        late.append(time.perf_counter() - started)

    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.1)
    started = time.perf_counter()
    getattr(world.again(), service)()
    quick = time.perf_counter() - started
    thread.join()

    assert late[0] >= 0.3
    assert quick < 0.15


def test_latency_is_added_to_every_answer(world: World) -> None:
    world.faults("", "latency_ms: 20, twilio: {latency_ms: 30}")
    for call, least in ((world.salesforce, 0.02), (world.hubspot, 0.02), (world.twilio, 0.05)):
        started = time.perf_counter()
        assert call().status_code == 200
        assert time.perf_counter() - started >= least


def test_a_server_that_stops_does_not_wait_for_answers_held_back(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[Exception] = []

    def ask() -> None:
        account = sandbox.twilio
        with requests.Session() as session:
            try:
                session.get(
                    f"{sandbox.twilio_url}/v2/PhoneNumbers/1", auth=(account.sid, account.auth_token), timeout=30
                )
            except requests.ConnectionError as error:
                ended.append(error)

    sandbox = Sandbox(contacts=5, faults=parse_faults("rules: [{service: twilio, fault: {kind: hang}}]", "test"))
    with sandbox:
        thread = threading.Thread(target=ask)
        thread.start()
        while sandbox.twilio.requests.total() == 0:
            time.sleep(0.005)
        started = time.perf_counter()

    assert time.perf_counter() - started < 1

    thread.join(5)

    assert len(ended) == 1
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


COUNTS = [
    ("nth: 3", [3]),
    ("every: 4", [4, 8, 12]),
    ("after: 9", [10, 11, 12]),
    ("between: [2, 4]", [2, 3, 4]),
    ("after: 4, every: 3", [7, 10]),
    ("times: 2", [1, 2]),
    ("every: 2, times: 3", [2, 4, 6]),
    ("method: POST", []),
    ("purpose: write", []),
    ("path: '/v2/PhoneNumbers/{number}', nth: 5", [5]),
    ("path: '/v2/PhoneNumbers/*', nth: 5", [5]),
    ("path: /v2/PhoneNumbers/+12015550199", []),
]


@pytest.mark.parametrize(("when", "expected"), COUNTS, ids=[when for when, _ in COUNTS])
def test_a_rule_acts_at_the_requests_it_names(world: World, when: str, expected: list[int]) -> None:
    world.faults(f"{{service: twilio, when: {{{when}}}, fault: {{kind: refuse, status: 503}}}}")
    statuses = [world.twilio().status_code for _ in range(12)]

    assert [at for at, status in enumerate(statuses, 1) if status == 503] == expected


def test_chance_is_the_same_for_the_same_seed_and_another_for_another(world: World) -> None:
    def run(seed: int) -> list[int]:
        world.faults(
            "{service: twilio, when: {probability: 0.3}, fault: {kind: refuse, status: 503}},"
            "{service: twilio, when: {probability: 0.3}, fault: {kind: refuse, status: 500}}",
            f"seed: {seed}",
        )
        return [world.twilio().status_code for _ in range(40)]

    first = run(11)

    assert first == run(11)
    assert first != run(12)
    assert {200, 500, 503} == set(first)


def test_of_several_answers_the_first_rule_counts_and_changes_add_up(world: World) -> None:
    world.faults(
        "{service: hubspot, fault: {kind: refuse, status: 423}},{service: hubspot, fault: {kind: html}},"
        "{service: hubspot, fault: {kind: edit_rows, values: {firstname: Changed}, count: 60}}"
    )

    assert world.hubspot().status_code == 423
    assert {held["firstname"] for held in world.sandbox.hubspot.contacts.values()} == {"Changed"}


def test_the_log_names_rule_and_request_and_no_number(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.faults("{service: twilio, when: {nth: 2}, fault: {kind: empty}}")
    with caplog.at_level(logging.INFO, "ringfence.sandbox"):
        world.twilio("+12015550142")
        world.twilio("+12015550142")

    messages = [record.getMessage() for record in caplog.records if record.name.startswith("ringfence")]

    assert messages == ["twilio: rule 0, empty, at request 2"]


def test_without_faults_nothing_stands_in_the_way(world: World) -> None:
    def spent() -> float:
        taken = []
        for _ in range(60):
            started = time.perf_counter()
            world.twilio()
            taken.append(time.perf_counter() - started)
        return statistics.median(taken)

    plain = spent()
    world.faults("{service: hubspot, fault: {kind: reset}}")

    assert world.sandbox.twilio.faults is None
    assert spent() < 3 * plain + 0.002
