"""`/v1/check`: what is known of a number, at once."""

from __future__ import annotations

from typing import Any

import pytest

from testkit.served import RunningService

NUMBER = "+12127365000"
KEYS = {
    "number",
    "status",
    "callable",
    "reason",
    "line_type",
    "suppressed",
    "channels",
    "last_screened",
    "fresh",
    "suggestion",
    "queued",
}


def check(served: RunningService, number: str, *, role: str = "viewer", **more: Any) -> dict[str, Any]:
    answer = served.post("/v1/check", role=role, json={"number": number, **more})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_number_is_answered_by_rule(served: RunningService) -> None:
    found = check(served, "(212) 736-5000", region="United States")

    assert set(found) == KEYS
    assert found["number"] == NUMBER
    assert (found["status"], found["callable"], found["suppressed"]) == ("valid", True, False)
    assert found["reason"] == "allocated: well formed but not confirmed to be live"
    assert (found["last_screened"], found["suggestion"], found["queued"]) == (None, None, False)


@pytest.mark.parametrize(
    ("typed", "region", "status", "reason"),
    [
        ("212 736 5000", None, "unknown", "no_region"),
        ("212 736 5000", "Atlantis", "unknown", "no_region"),
        ("212 736 50", "US", "invalid", "too_short"),
        ("ask at the desk", "US", "invalid", "not_a_number"),
        ("", "US", "invalid", "not_a_number"),
    ],
)
def test_what_is_no_number_is_never_callable(
    served: RunningService, typed: str, region: str | None, status: str, reason: str
) -> None:
    found = check(served, typed, region=region)

    assert (found["status"], found["number"], found["callable"]) == (status, None, False)
    assert found["reason"].startswith(f"{reason}:")
    assert found["suppressed"] is (status == "unknown")
    assert found["channels"] == []
