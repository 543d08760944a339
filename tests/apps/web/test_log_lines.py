"""What the service logs: a line for each request, its id on every other line, and nothing that is nobody's business."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ringfence.apps.log_format import LogFormat
from ringfence.apps.logs import show_events, start_logging
from ringfence.core.numbers import mask
from testkit.jobs import wait_until
from testkit.served import RunningService

from .odd_routes import NUMBER


class Lines:
    """The lines that were logged, as JSON documents."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def about(self, request_id: str) -> list[dict[str, Any]]:
        """Return the lines of a request once the last one is there, which follows the answer."""
        wait_until(lambda: any(line["message"] == "request" for line in self._of(request_id)))
        return self._of(request_id)

    def _of(self, request_id: str) -> list[dict[str, Any]]:
        found = map(json.loads, list(self.written))
        return [line for line in found if line.get("request_id") == request_id]


@pytest.fixture
def lines() -> Iterator[Lines]:
    found = Lines()
    start_logging(lambda line, _level: found.written.append(line), LogFormat.JSON)
    show_events()
    yield found
    start_logging(lambda _line, _level: None, LogFormat.TEXT)


def test_each_request_is_a_line_without_query_body_and_numbers(odd: RunningService, lines: Lines) -> None:
    odd.post(f"/odd/log/{NUMBER}?secret=s3cr3t", json={"number": NUMBER}, headers={"X-Request-Id": "one"})

    warning, access = lines.about("one")
    assert warning["message"] == f"Somebody asked for {mask(NUMBER)}."
    assert {name: access[name] for name in ("method", "path", "status")} == {
        "method": "POST",
        "path": "/odd/log/{number}",
        "status": 200,
    }
    assert access["ms"] >= 0
    assert access["at"].endswith("Z")
    everything = "\n".join(lines.written)
    assert NUMBER[1:] not in everything
    assert "s3cr3t" not in everything


def test_a_path_that_is_not_there_is_shown_masked(odd: RunningService, lines: Lines) -> None:
    odd.get(f"/nothing/{NUMBER}?x=1", headers={"X-Request-Id": "two"})

    (access,) = lines.about("two")
    assert access["path"] == f"/nothing/{mask(NUMBER)}"


def test_the_name_of_the_token_is_shown_and_never_the_token(odd: RunningService, lines: Lines) -> None:
    odd.get("/odd/as/viewer", role="viewer", headers={"X-Request-Id": "three"})
    odd.get("/odd/as/compliance", role="viewer", headers={"X-Request-Id": "four"})

    for name in ("three", "four"):
        (access,) = lines.about(name)
        assert access["caller"] == "test-viewer"
    assert odd.tokens["viewer"] not in "\n".join(lines.written)


def test_a_fault_is_told_by_its_kind_and_place(odd: RunningService, lines: Lines) -> None:
    odd.get("/odd/fault", headers={"X-Request-Id": "five"})

    fault, access = lines.about("five")
    assert fault["level"] == "error"
    assert "KeyError at odd_routes.py:" in fault["message"]
    assert access["status"] == 500
    assert NUMBER[1:] not in "\n".join(lines.written)
