"""Whatever goes wrong is a problem document, which shows nothing that is not the caller's business."""

from __future__ import annotations

import pytest

from ringfence.core.numbers import mask
from testkit.served import RunningService

from .odd_routes import NUMBER


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/healthz/", 404),
        ("POST", "/v1/check/", 404),
        ("POST", "/healthz", 405),
        ("GET", "/odd/fault", 500),
        ("GET", "/odd/raise/none", 500),
    ],
)
def test_errors_are_problem_documents(odd: RunningService, method: str, path: str, status: int) -> None:
    answer = odd.call(method, path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    assert "Traceback" not in answer.text
    assert NUMBER not in answer.text
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("name", "status", "retries"),
    [
        ("usage", 422, False),
        ("settings", 500, False),
        ("state", 503, True),
        ("stopped", 503, True),
        ("quota", 503, True),
        ("refused", 502, False),
        ("expired", 503, True),
        ("bug", 500, False),
    ],
)
def test_errors_of_the_core_have_a_status_and_words_of_their_own(
    odd: RunningService, name: str, status: int, retries: bool
) -> None:
    answer = odd.get(f"/odd/raise/{name}")

    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == retries
    assert "secret" not in answer.text.lower()
    assert NUMBER not in answer.text
    if name == "usage":
        assert answer.json()["detail"] == f"{mask(NUMBER)} cannot be meant. Send another."


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body.number"),
        ({"number": 14155552671}, "body.number"),
        ({"number": NUMBER, NUMBER: 1}, f"body.{mask(NUMBER)}"),
    ],
)
def test_a_body_that_is_not_as_described_is_told_by_its_place(
    odd: RunningService, body: dict[str, object], where: str
) -> None:
    answer = odd.post("/odd/body", json=body)

    assert answer.status_code == 422
    assert [each["where"] for each in answer.json()["errors"]] == [where]
    assert NUMBER[1:] not in answer.text


def test_the_id_of_a_request_is_the_callers_where_it_may_stand_in_a_log(odd: RunningService) -> None:
    for sane in ("abc-1", "5f0c8c8e-7b0a-4f0e-9d55-0123456789ab", "0123456789abcdef" * 2):
        assert odd.get("/healthz", headers={"X-Request-Id": sane}).headers["X-Request-Id"] == sane
    for odd_one in (NUMBER, "14155552671", "x14155552671", "a b", "x" * 65, "-", "{}"):
        made = odd.get("/healthz", headers={"X-Request-Id": odd_one}).headers["X-Request-Id"]
        assert made != odd_one
        assert len(made) == 32


def test_each_request_has_an_id_of_its_own(odd: RunningService) -> None:
    assert len({odd.get("/healthz").headers["X-Request-Id"] for _ in range(5)}) == 5
