"""Bodies that no path below /v1 takes: each is told, none is echoed, and none is a fault."""

from __future__ import annotations

import pytest

from testkit.served import RunningService

NUMBER = "4155552671"
PATHS = ("/v1/check", "/v1/screen", "/v1/suppressions", "/v1/suppressions/check")
BODIES = {
    "nothing": (b"", "not_json"),
    "no JSON": (f"number={NUMBER}".encode(), "not_json"),
    "no text": (b"\xff\xfe\xfd", "not_json"),
    "no number of JSON": (b'{"number": NaN}', "not_json"),
    "an endless number": (b'{"number": 1' + b"0" * 5_000 + b"}", "not_json"),
    "cut off": (f'{{"number": "+1{NUMBER}'.encode(), "not_json"),
    "a key twice": (f'{{"number": "+1{NUMBER}", "number": "+1{NUMBER}"}}'.encode(), "duplicate_key"),
    "deep": (b'{"number": ' + b"[" * 30 + b"]" * 30 + b"}", "too_deep"),
    "very deep": (b"[" * 200_000, "too_deep"),
    "a list": (f'["+1{NUMBER}"]'.encode(), "invalid"),
    "a wrong type": (f'{{"number": {NUMBER}}}'.encode(), "invalid"),
    "an unknown key": (f'{{"number": "+1{NUMBER}", "{NUMBER}": 1}}'.encode(), "invalid"),
    "a long number": (f'{{"number": "{"9" * 101}"}}'.encode(), "invalid"),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("body", "code"), BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_none_is_told(served: RunningService, path: str, body: bytes, code: str) -> None:
    answer = served.post(path, data=body, headers={"Content-Type": "application/json"}, role="admin")

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert NUMBER not in answer.text
    assert "99999" not in answer.text
    assert "sys." not in answer.text, "words for whoever writes Python"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{", b'{"number": "+1", "number": "+1"}', b"[" * 30 + b"]" * 30, b"[]", b"{}"])
def test_who_may_not_call_hears_that_and_nothing_of_the_body(served: RunningService, path: str, body: bytes) -> None:
    as_json = {"Content-Type": "application/json"}
    origin = {**as_json, "Origin": served.url}

    assert served.post(path, data=body, headers=as_json).status_code == 401
    denied = served.post(path, data=body, headers=origin, role="form")
    assert denied.status_code == (422 if path == "/v1/check" else 403)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_json_under_another_name_is_told(served: RunningService, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}

    answer = served.post("/v1/check", data=f'{{"number": "+1{NUMBER}"}}', headers=headers, role="viewer")

    assert answer.status_code == 422
    assert answer.json()["code"] == "not_json"
    assert "Content-Type: application/json" in answer.json()["detail"]
