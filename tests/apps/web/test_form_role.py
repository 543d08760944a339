"""Web pages that ask `/v1/check`: by an allow list, with a token that anybody can read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from ringfence.apps.settings import build_settings
from ringfence.apps.web.origins import origin_of, own_origins
from ringfence.apps.wiring import Wiring
from ringfence.core.errors import SettingsError
from testkit.served import RunningService, running_service

PAGE, STRANGER = "https://www.example.com", "https://elsewhere.example.net"
NUMBER = "+12127365000"
HIDDEN = {"suppressed", "channels", "last_screened"}


@pytest.fixture(scope="module")
def pages(wiring: Wiring) -> Iterator[RunningService]:
    """Give a service that a page of ours may ask."""
    with running_service(wiring, works=False, origins=[PAGE + "/"]) as running:
        yield running


def preflight(pages: RunningService, origin: str, path: str = "/v1/check") -> requests.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return pages.call("OPTIONS", path, headers=headers)


def test_a_page_on_the_list_may_ask(pages: RunningService) -> None:
    answer = preflight(pages, PAGE)
    found = answer.headers

    assert answer.status_code == 204
    assert found["Access-Control-Allow-Origin"] == PAGE
    assert found["Access-Control-Allow-Methods"] == "POST"
    assert "Authorization" in found["Access-Control-Allow-Headers"]
    assert found["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in found


@pytest.mark.parametrize("origin", [STRANGER, "null", "http://www.example.com", "https://www.example.com.evil.net"])
def test_a_page_that_is_not_may_not(pages: RunningService, origin: str) -> None:
    found = preflight(pages, origin)
    asked = pages.post("/v1/check", role="form", headers={"Origin": origin}, json={"number": NUMBER})

    assert found.status_code == 403
    assert "Access-Control-Allow-Origin" not in found.headers
    assert asked.status_code == 403
    assert "RINGFENCE_SERVE__ORIGINS" in asked.json()["detail"]
    assert "Access-Control-Allow-Origin" not in asked.headers


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("https://www.example.com:443/", "https://www.example.com"),
        ("http://WWW.example.com:80", "http://www.example.com"),
        ("https://www.example.com:8443", "https://www.example.com:8443"),
        ("http://[::1]:443", "http://[::1]:443"),
    ],
)
def test_a_page_is_known_by_the_name_that_browsers_give_it(written: str, named: str) -> None:
    assert origin_of(written) == named


def test_the_services_own_page_may_ask_by_each_name_of_this_machine(pages: RunningService) -> None:
    port = pages.url.rpartition(":")[2]
    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert preflight(pages, f"http://{name}:{port}").status_code == 204
    assert preflight(pages, "http://localhost:1").status_code == 403
    assert own_origins("https://ringfence.example.com/") == {"https://ringfence.example.com"}


def test_no_other_path_is_for_pages(pages: RunningService) -> None:
    for path in ("/v1/screen", "/v1/suppressions", "/v1/suppressions/check", "/metrics"):
        assert "Access-Control-Allow-Origin" not in preflight(pages, PAGE, path).headers
        denied = pages.post(path, role="form", headers={"Origin": PAGE}, json={"number": NUMBER})
        assert denied.status_code in (403, 405)


def test_a_page_is_not_told_why_a_number_must_not_be_called(pages: RunningService) -> None:
    silent = "+12127365009"
    wish = {"number": silent, "reason": "asked"}
    assert pages.post("/v1/suppressions", role="compliance", json=wish).status_code == 200

    told = [
        pages.post("/v1/check", role="form", headers={"Origin": PAGE}, json={"number": each})
        for each in (NUMBER, silent)
    ]
    first, second = (each.json() for each in told)
    assert not HIDDEN & first.keys()
    assert (first.pop("callable"), second.pop("callable")) == (True, False)
    assert first | {"number": ""} == second | {"number": ""}
    assert first["status"] == "valid"
    assert told[0].headers["Access-Control-Allow-Origin"] == PAGE


def test_a_purpose_tells_a_page_nothing_of_consent(pages: RunningService) -> None:
    body = {"number": NUMBER, "purpose": "marketing"}
    answer = pages.post("/v1/check", role="form", headers={"Origin": PAGE}, json=body)

    assert answer.json()["reason"].startswith("allocated:")


def test_a_token_of_a_form_counts_only_from_a_page(pages: RunningService) -> None:
    assert pages.post("/v1/check", role="form", json={"number": NUMBER}).status_code == 403


def test_errors_can_be_read_by_the_page(pages: RunningService) -> None:
    wrong = pages.post("/v1/check", role="form", headers={"Origin": PAGE}, json={"number": 1})
    nobody = pages.post("/v1/check", headers={"Origin": PAGE}, json={"number": NUMBER})

    assert (wrong.status_code, nobody.status_code) == (422, 401)
    assert wrong.headers["Access-Control-Allow-Origin"] == nobody.headers["Access-Control-Allow-Origin"] == PAGE


def test_a_form_may_call_less_often_than_others(pages: RunningService) -> None:
    statuses = [
        pages.post("/v1/check", role="form", headers={"Origin": PAGE}, json={"number": NUMBER}).status_code
        for _ in range(60)
    ]

    assert statuses.count(429) > 0
    assert pages.post("/v1/check", role="viewer", json={"number": NUMBER}).status_code == 200


@pytest.mark.parametrize("origin", ["*", "www.example.com", "https://www.example.com/form", "ftp://example.com", ""])
def test_what_no_browser_would_name_is_no_origin(origin: str) -> None:
    with pytest.raises(SettingsError):
        build_settings({"RINGFENCE_SERVE__ORIGINS": f'["{origin}"]'})
