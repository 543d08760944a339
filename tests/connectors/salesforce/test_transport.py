"""What the transport does with answers that a healthy service does not give."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.errors import web_page_error
from ringfence.connectors.salesforce.quota import Quota
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.connectors.salesforce.transport import ATTEMPTS, Transport
from ringfence.core.errors import (
    AccessError,
    AuthenticationError,
    QuotaError,
    RetryError,
    SchemaError,
    SettingsError,
    UnreachableError,
)
from ringfence.core.model.values import Change, FieldChange
from ringfence.core.ports.services import Services
from testkit.clock import SetClock

from ..conftest import Script

ORGANIZATION = json.loads((Path(__file__).parent / "answers" / "organization.json").read_text())
DATE = "Mon, 02 Nov 2026 09:00:00 GMT"


@pytest.fixture
def crm(script: Script, clock: SetClock, shapes: Callable[..., Any]) -> Iterator[SalesforceCrm]:
    settings = SalesforceSettings(instance_url=script.url, access_token="00D!secret")
    made = plugin.connect(settings, shapes(), Services(clock))
    assert isinstance(made, SalesforceCrm)
    yield made
    made.close()


def refusal(code: str, message: str = "no") -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (503, "<html>out of order</html>", {}),
        (503, refusal("SERVER_UNAVAILABLE"), {}),
        (500, refusal("UNKNOWN_EXCEPTION"), {}),
        (420, "", {}),
        (406, "", {}),
        (200, "<html>a proxy</html>", {}),
        (200, "[1, 2]", {}),
        (200, {"status": "fine"}, {}),
        (200, '{"records": [{"Id": "00D', {"Content_Length": "500"}),
        (403, refusal("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."), {}),
    ],
)
def test_passing_faults_are_repeated_and_counted(
    crm: SalesforceCrm, script: Script, status: int, body: Any, headers: dict[str, str]
) -> None:
    script.says(status, body, **headers)
    script.says(200, ORGANIZATION)

    assert crm.identify().id == "00D000000000001EAA"
    assert crm.calls["login"] == len(script.seen) == 2


@pytest.mark.parametrize(
    ("status", "body", "error", "calls"),
    [
        (503, "", UnreachableError, ATTEMPTS),
        (403, refusal("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."), QuotaError, ATTEMPTS),
        (403, refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), QuotaError, 1),
        (401, refusal("INVALID_SESSION_ID"), AuthenticationError, 1),
        (403, refusal("API_DISABLED_FOR_ORG"), AccessError, 1),
        (400, refusal("INVALID_FIELD", "No such column 'X'"), SchemaError, 1),
        (404, "<html>no such page</html>", SchemaError, 1),
    ],
)
def test_other_faults_end_the_run_with_a_remedy(
    crm: SalesforceCrm, script: Script, clock: SetClock, status: int, body: Any, error: type[Exception], calls: int
) -> None:
    script.says(status, body)
    before = clock.monotonic()

    with pytest.raises(error) as caught:
        crm._client.describe("Contact")

    assert len(script.seen) == calls
    assert clock.monotonic() - before < 60
    assert caught.value.remedy  # type: ignore[attr-defined]  # every error of ours has one
    assert "00D!secret" not in str(caught.value)


def test_an_answer_never_shows_a_number(crm: SalesforceCrm, script: Script) -> None:
    script.says(400, refusal("FIELD_INTEGRITY_EXCEPTION", "(415) 555-0123 is no phone; nor is +44 20 7946 0018"))

    with pytest.raises(SchemaError) as caught:
        crm.identify()

    assert "555-0123" not in str(caught.value)
    assert "7946" not in str(caught.value)
    assert "***" in str(caught.value)


def test_an_unreachable_host_is_named_at_once(clock: SetClock, shapes: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    settings = SalesforceSettings(instance_url=f"http://127.0.0.1:{port}", access_token="00D!secret")
    crm = plugin.connect(settings, shapes(), Services(clock))

    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port} cannot be reached") as caught:
        crm.identify()

    assert "INSTANCE_URL" in caught.value.remedy
    assert crm.calls == {"login": 1}

    crm.close()


def test_clear_text_goes_only_where_the_settings_say_so(clock: SetClock) -> None:
    transport = Transport(Services(clock), Quota(20))
    transport.allow_clear("http://127.0.0.1:8080")
    transport.allow_clear("https://acme.my.salesforce.com")

    assert transport.is_clear("https://127.0.0.1:8080/services")
    assert not transport.is_clear("https://127.0.0.1:8081/services")
    assert not transport.is_clear("https://acme.my.salesforce.com/services")


def test_a_proxy_is_not_asked_for_this_machine(
    crm: SalesforceCrm, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    script.says(200, ORGANIZATION)

    assert crm.identify().name == "Acme"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_takes_no_write_and_no_token_anywhere(crm: SalesforceCrm, script: Script, status: int) -> None:
    script.says(status, "", Location=f"{script.url.replace('127.0.0.1', 'localhost')}/elsewhere")

    with pytest.raises(SettingsError, match=f"redirect.*{status}") as caught:
        crm.write([Change.of("Contact", "0031", (FieldChange("DoNotCall", False, True),))])

    assert "INSTANCE_URL" in caught.value.remedy
    assert [path for _, path, _ in script.seen] == ["/services/data/v65.0/composite"]


def test_only_a_rewritten_phone_passes_alerts_of_duplicate_rules(crm: SalesforceCrm, script: Script) -> None:
    script.says(200, {"compositeResponse": []})
    flag, phone = FieldChange("DoNotCall", False, True), FieldChange("Phone", "415 555 0132", "+14155550132")
    read = datetime(2026, 11, 2, 9, tzinfo=UTC)
    crm.write([Change.of("Contact", "0031", (flag,), modified=read)])
    crm.write([Change.of("Contact", "0031", (phone,), {"Phone": "415 555 0132"}, read)])

    assert [b"allowSave=true" in body for _, _, body in script.seen] == [False, True]


def test_a_web_page_is_told_as_such(crm: SalesforceCrm, script: Script) -> None:
    script.says(200, "<html>Lightning</html>", Content_Type="text/html;charset=UTF-8")

    with pytest.raises(SettingsError, match="web page") as caught:
        crm.identify()

    assert "my.salesforce.com" in caught.value.remedy
    assert len(script.seen) == 1


def test_a_web_page_amid_answers_is_a_passing_fault(crm: SalesforceCrm, script: Script) -> None:
    script.says(503, refusal("SERVER_UNAVAILABLE"))
    script.says(200, "<html>a proxy</html>", Content_Type="text/html")
    script.says(200, ORGANIZATION)

    assert crm.identify().name == "Acme"


def test_the_address_behind_a_lightning_page_is_named() -> None:
    error = web_page_error("acme--uat.sandbox.lightning.force.com")

    assert "https://acme--uat.sandbox.my.salesforce.com" in error.remedy


def test_a_pause_that_is_asked_for_is_made_unless_it_is_too_long(
    crm: SalesforceCrm, script: Script, clock: SetClock
) -> None:
    script.says(503, refusal("SERVER_UNAVAILABLE"), Retry_After="40")
    script.says(503, refusal("SERVER_UNAVAILABLE"))
    script.says(200, ORGANIZATION)
    begun = clock.now()
    crm.identify()

    assert 40 < (clock.now() - begun).total_seconds() < 45

    script.answers.clear()
    script.says(503, refusal("SERVER_UNAVAILABLE"), Retry_After="3600")

    with pytest.raises(UnreachableError, match="3600 seconds"):
        crm.open_feed({})

    assert len(script.seen) == 4


def test_a_pause_that_is_asked_for_is_made_whatever_another_thread_is_told(clock: SetClock) -> None:
    transport, attempts = Transport(Services(clock), Quota(20)), []

    def answer_with(**headers: str) -> None:
        answer = requests.Response()
        answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        transport.read_headers(answer, "acme")

    def send() -> None:
        attempts.append(clock.monotonic())
        if len(attempts) == 1:
            answer_with(Retry_After="60")
            other = threading.Thread(target=answer_with)
            other.start()
            other.join()
        if len(attempts) < 3:
            raise RetryError("the second one is cut off, without an answer")

    transport.call_with_retries("read", "a query", send)

    assert 60 <= attempts[1] - attempts[0] < 65
    assert attempts[2] - attempts[1] < 5


def test_the_date_of_an_answer_is_the_time(crm: SalesforceCrm, script: Script, clock: SetClock) -> None:
    script.says(200, ORGANIZATION, Date="Thu, 05 Nov 2026 09:00:00 GMT")
    crm.identify()
    clock.advance(seconds=90)

    assert str(crm._client.server_now()) == "2026-11-05 09:01:30+00:00"


@pytest.mark.parametrize("reference", [None, "r7"])
def test_a_composite_that_is_refused_whole_is_no_answer(
    crm: SalesforceCrm, script: Script, reference: str | None
) -> None:
    script.says(200, ORGANIZATION, Date=DATE)
    crm.identify()
    script.answers.clear()
    part = {"referenceId": reference, "httpStatusCode": 400, "body": refusal("LIMIT_EXCEEDED"), "httpHeaders": {}}
    script.says(200, {"compositeResponse": [part]})

    with pytest.raises(SchemaError if reference is None else UnreachableError):
        crm.open_feed({})
