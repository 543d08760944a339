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


def test_a_likely_typo_comes_with_its_correction(served: RunningService) -> None:
    found = check(served, "212 736 50000", region="US")

    assert (found["status"], found["suggestion"], found["callable"]) == ("invalid", NUMBER, False)


def test_an_opt_out_is_told_at_once_and_by_channel(served: RunningService) -> None:
    number = "+12127365001"
    wish = {"number": number, "reason": "asked for no more messages", "channel": "sms"}
    assert check(served, number)["suppressed"] is False
    assert served.post("/v1/suppressions", role="compliance", json=wish).status_code == 200

    calls, messages = check(served, number, channel="voice"), check(served, number, channel="sms")
    assert (calls["suppressed"], calls["callable"], calls["channels"]) == (False, True, ["sms"])
    assert (messages["suppressed"], messages["callable"], messages["channels"]) == (True, False, ["sms"])
    assert check(served, number)["suppressed"] is True  # by any channel

    served.post("/v1/suppressions", role="compliance", json={**wish, "channel": "all"})
    silent = check(served, number)
    assert (silent["status"], silent["callable"], silent["channels"]) == ("do_not_contact", False, ["all"])
    assert silent["reason"].startswith("opted_out:")
    assert number not in silent["reason"]


def test_consent_that_is_not_on_record_covers_no_purpose(served: RunningService) -> None:
    found = check(served, NUMBER, purpose="marketing")

    assert (found["status"], found["callable"]) == ("valid", False)
    assert found["reason"].startswith("no_consent:")


def test_a_purpose_of_blanks_is_refused(served: RunningService) -> None:
    assert served.post("/v1/check", role="viewer", json={"number": NUMBER, "purpose": " "}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"number": None},
        {"number": 12127365000},
        {"number": ["+12127365000"]},
        {"number": "1" * 101},
        {"number": NUMBER, "channel": "fax"},
        {"number": NUMBER, "queue": "yes"},
        {"number": NUMBER, "region": 1},
        {"number": NUMBER, "more": 1},
        [NUMBER],
        NUMBER,
        None,
    ],
)
def test_a_body_that_is_not_as_described_is_422_and_not_repeated(served: RunningService, body: Any) -> None:
    answer = served.post("/v1/check", role="viewer", json=body)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "2127365000" not in answer.text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"number=1",
        b"\xff\xfe",
        b'{"number": "+12127365000", "number": "+12127365001"}',
        b'{"number": NaN}',
        b'{"number":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
)
def test_what_is_no_plain_json_is_422(served: RunningService, raw: bytes) -> None:
    answer = served.post("/v1/check", role="viewer", data=raw, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422, answer.text


def test_what_is_left_out_may_be_null_or_empty(served: RunningService) -> None:
    nothing = check(served, NUMBER)

    assert check(served, NUMBER, region=None, channel=None, purpose=None, queue=None) == nothing
    assert check(served, NUMBER, region="", channel="", purpose="") == nothing


def test_what_must_be_said_or_is_not_known_may_not_be_null(served: RunningService) -> None:
    for body in ({"number": None}, {"number": NUMBER, "numbre": None}, {"region": None}):
        assert served.post("/v1/check", role="viewer", json=body).status_code == 422


def test_without_a_token_nothing_is_told(served: RunningService) -> None:
    assert served.post("/v1/check", json={"number": NUMBER}).status_code == 401


def test_to_queue_a_check_takes_an_operator(served: RunningService) -> None:
    for role in ("viewer", "compliance"):
        denied = served.post("/v1/check", role=role, json={"number": NUMBER, "queue": True})
        assert denied.status_code == 403
    assert check(served, NUMBER, role="operator", queue=True)["queued"] is False  # nobody is there to be asked
