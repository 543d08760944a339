"""What bounds a request: how large and how slow it may be, and how many are worked on at once."""

from __future__ import annotations

import threading

import pytest

from ringfence.apps.web import bounds, connections
from testkit.raw_http import wire_to
from testkit.served import RunningService

from . import odd_routes

LARGE = 1_000_001


def test_a_body_as_large_as_allowed_is_read(odd: RunningService) -> None:
    assert odd.post("/odd/size", data=b"x" * (LARGE - 1)).json() == {"bytes": LARGE - 1}


@pytest.mark.parametrize("is_announced", [True, False], ids=["by its length", "while it comes"])
def test_a_larger_one_is_refused(odd: RunningService, is_announced: bool) -> None:
    body = b"x" * LARGE

    refused = odd.post("/odd/size", data=body if is_announced else iter([body]))

    assert refused.status_code == 413
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "too_large"
    assert refused.headers["X-Request-Id"]


def test_who_asks_first_sends_no_large_body_at_all(odd: RunningService) -> None:
    with wire_to(odd.url) as wire:
        wire.head("POST", "/odd/size", {"Content-Length": str(LARGE), "Expect": "100-continue"})

        assert wire.answer()[0] == 413
        assert wire.is_ended()


@pytest.mark.parametrize(("path", "status"), [("/odd/size", 408), ("/hubspot/odd", 503)])
def test_a_body_that_does_not_come_is_not_waited_for(
    odd: RunningService, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    monkeypatch.setattr(bounds, "BODY_S", 0.2)

    with wire_to(odd.url) as wire:
        wire.head("POST", path, {"Content-Length": "100"})
        wire.send("{")

        found, headers, problem = wire.answer()
        assert (found, problem["code"]) == (status, "slow_body")
        assert headers["x-request-id"]
        assert wire.is_ended()


def test_a_head_that_does_not_come_is_not_waited_for(odd: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    with wire_to(odd.url) as wire:
        wire.send("GET /healthz HTTP/1.1\r\nHost: 127")

        status, headers, problem = wire.answer()
        assert (status, problem["title"]) == (408, "Request Timeout")
        assert headers["x-request-id"]
        assert wire.is_ended()


def test_a_connection_on_which_nothing_is_said_ends(odd: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    with wire_to(odd.url) as wire:
        assert wire.is_ended()


def test_a_second_request_on_a_connection_has_the_same_patience(
    odd: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    with wire_to(odd.url) as wire:
        wire.head("GET", "/healthz", {})
        assert wire.answer()[0] == 200
        wire.send("GET /healthz")

        assert wire.answer()[0] == 408


def test_too_many_connections_end_and_the_others_go_on(odd: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_to(odd.url) as first:
        first.head("GET", "/healthz", {})
        assert first.answer()[0] == 200
        monkeypatch.setattr(connections, "MOST_CONNECTIONS", 0)
        with wire_to(odd.url) as second:
            assert second.is_ended()

        first.head("GET", "/healthz", {})
        assert first.answer()[0] == 200


def test_what_is_no_http_is_answered(odd: RunningService) -> None:
    with wire_to(odd.url) as wire:
        wire.send("HELLO\r\n\r\n")

        status, headers, problem = wire.answer()
        assert (status, problem["status"]) == (400, 400)
        assert headers["x-request-id"]


@pytest.mark.parametrize(("path", "retry_after"), [("/odd/size", "1"), ("/hubspot/odd", "1000")])
def test_overload_says_when_to_come_back(
    odd: RunningService, monkeypatch: pytest.MonkeyPatch, path: str, retry_after: str
) -> None:
    odd_routes.begun.clear()
    odd_routes.released.clear()
    monkeypatch.setattr(bounds, "MOST_AT_ONCE", 1)
    waiting = threading.Thread(target=lambda: odd.get("/odd/wait"))
    waiting.start()
    try:
        assert odd_routes.begun.wait(10)
        refused = odd.post(path, data=b"{}")
        probe = odd.get("/healthz")
    finally:
        odd_routes.released.set()
        waiting.join()

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, retry_after)
    assert probe.status_code == 200
    assert odd.post(path, data=b"{}").status_code == 200


def test_slow_senders_cannot_fill_the_memory(odd: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_HELD", 0)

    with wire_to(odd.url) as wire:
        wire.head("POST", "/odd/size", {"Content-Length": "100"})
        wire.send("{")
        assert wire.answer()[0] == 429

    assert odd.post("/odd/size", data=b"{}").status_code == 200


def test_an_answer_that_takes_too_long_is_not_waited_for(odd: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    odd_routes.released.clear()
    monkeypatch.setattr(bounds, "ANSWER_S", 0.1)

    late = odd.get("/odd/wait")
    odd_routes.released.set()

    assert (late.status_code, late.json()["code"]) == (503, "slow_answer")
    assert odd.get("/odd/wait").json() == {"released": True}
