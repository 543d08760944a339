"""What the one door does with answers that a healthy service does not give."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence.connectors.http.account_calls import AccountCalls
from ringfence.connectors.hubspot import plugin
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.connectors.hubspot.limits import PortalLimits
from ringfence.connectors.hubspot.settings import HubSpotSettings
from ringfence.connectors.hubspot.transport import ATTEMPTS
from ringfence.core.errors import AccessError, QuotaError, UnreachableError
from ringfence.core.model.values import Change, FieldChange, Outcome
from ringfence.core.ports.own_limits import OwnLimits
from ringfence.core.ports.services import Services
from testkit.clock import SetClock

from ..conftest import Script

DETAILS = {"portalId": 7, "accountType": "STANDARD"}
DATE = "Mon, 02 Nov 2026 09:00:00 GMT"


@pytest.fixture
def crm(script: Script, clock: SetClock, shapes: Callable[..., Any]) -> Iterator[HubSpotCrm]:
    settings = HubSpotSettings(access_token="pat-na1-secret", base_url=script.url)
    made = plugin.connect(settings, shapes(), Services(clock))
    assert isinstance(made, HubSpotCrm)
    yield made
    made.close()


def test_a_refused_search_is_repeated_after_a_second_and_counted_twice(
    crm: HubSpotCrm, script: Script, clock: SetClock, shapes: Callable[..., Any]
) -> None:
    names = shapes()["contacts"].read_fields()
    script.says(200, DETAILS, Date=DATE)
    script.says(200, {"results": [{"name": name, "type": "string"} for name in names]})
    feed = crm.open_feed({})
    script.answers.clear()
    script.says(429, {"message": "You have reached your secondly limit.", "category": "RATE_LIMITS"})
    script.says(200, {"total": 0, "results": []})
    before = clock.monotonic()

    assert list(feed.flagged()) == []
    assert 1 <= clock.monotonic() - before < 3
    assert crm.calls["opt_outs"] == 3  # the search twice, and the recycle bin


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (503, "<html>out of order</html>", {}),
        (200, "<html>a proxy</html>", {}),
        (200, "[1, 2]", {}),
        (200, {"status": "fine"}, {}),
        (200, '{"portalId": 7, "acc', {"Content_Length": "500"}),
        (423, {"message": "Locks will last for 2 seconds"}, {}),
    ],
)
def test_passing_faults_are_repeated(
    crm: HubSpotCrm, script: Script, status: int, body: Any, headers: dict[str, str]
) -> None:
    script.says(status, body, **headers)
    script.says(200, DETAILS, Date=DATE)

    assert crm.identify().id == "7"
    assert crm.calls["login"] == len(script.seen) == 2


def test_an_outage_ends_the_run_after_a_while(crm: HubSpotCrm, script: Script, clock: SetClock) -> None:
    script.says(503, {})
    before = clock.monotonic()

    with pytest.raises(UnreachableError, match="HTTP 503"):
        crm.identify()

    assert len(script.seen) == ATTEMPTS
    assert clock.monotonic() - before < 120


def test_a_limit_that_others_use_up_ends_as_a_quota(crm: HubSpotCrm, script: Script) -> None:
    script.says(429, {"policyName": "TEN_SECONDLY_ROLLING"})

    with pytest.raises(QuotaError, match="did not help to wait"):
        crm.identify()


def test_the_daily_limit_ends_the_run_at_once(crm: HubSpotCrm, script: Script) -> None:
    script.says(429, {"policyName": "DAILY"})

    with pytest.raises(QuotaError, match="midnight"):
        crm.identify()

    assert len(script.seen) == 1


def test_a_long_pause_ends_the_run_instead_of_blocking_it(crm: HubSpotCrm, script: Script, clock: SetClock) -> None:
    script.says(477, {}, Retry_After="7200")
    before = clock.monotonic()

    with pytest.raises(UnreachableError, match="7200 seconds"):
        crm.identify()

    assert clock.monotonic() - before < 1


def test_a_pause_that_one_connector_was_asked_for_holds_for_all_of_the_portal(
    script: Script, clock: SetClock, shapes: Callable[..., Any]
) -> None:
    limits = OwnLimits(clock.monotonic)

    def connect(token: str) -> Any:
        settings = HubSpotSettings(access_token=token, base_url=script.url)
        return plugin.connect(settings, shapes(), Services(clock, limits=limits))

    ours, theirs, of_another = connect("pat-1"), connect("pat-1"), connect("pat-2")
    script.says(429, {"policyName": "TEN_SECONDLY_ROLLING"}, Retry_After="1800")
    with pytest.raises(UnreachableError, match="1800 seconds"):
        ours.identify()
    script.answers.clear()
    script.says(200, DETAILS, Date=DATE)
    seen = len(script.seen)

    with pytest.raises(UnreachableError, match="1800 seconds"):
        theirs.identify()

    assert len(script.seen) == seen
    assert of_another.identify().id == "7"

    clock.advance(seconds=1801)
    assert theirs.identify().id == "7"
    for crm in (ours, theirs, of_another):
        crm.close()


def test_a_redirect_does_not_carry_the_token_away(crm: HubSpotCrm, script: Script) -> None:
    script.says(302, "", Location=f"{script.url}/elsewhere")

    with pytest.raises(UnreachableError):
        crm.identify()

    assert {path for _, path, _ in script.seen} == {"/account-info/v3/details"}


def test_a_host_that_does_not_listen_is_named_at_once(clock: SetClock, shapes: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    settings = HubSpotSettings(access_token="pat-na1-secret", base_url=f"http://127.0.0.1:{port}")
    crm = plugin.connect(settings, shapes(), Services(clock))

    with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port} cannot be reached") as caught:
        crm.identify()

    assert "secret" not in str(caught.value)
    assert crm.calls == {"login": 1}


def test_a_server_without_tls_is_told(script: Script, clock: SetClock, shapes: Callable[..., Any]) -> None:
    script.says(200, DETAILS)
    url = script.url.replace("http://", "https://")
    crm = plugin.connect(HubSpotSettings(access_token="x", base_url=url), shapes(), Services(clock))

    with pytest.raises(UnreachableError, match="No secure connection"):
        crm.identify()


def test_details_that_the_token_may_not_read_are_told_plainly(crm: HubSpotCrm, script: Script) -> None:
    context = {"requiredGranularScopes": ["account-info.read"]}
    script.says(403, {"category": "MISSING_SCOPES", "errors": [{"context": context}]})

    with pytest.raises(AccessError, match=r"which HubSpot account .* account-info\.read"):
        crm.identify()


def test_an_answer_without_a_date_gives_no_watermark(crm: HubSpotCrm, script: Script) -> None:
    script.says(200, DETAILS)

    with pytest.raises(UnreachableError, match="Date"):
        crm.open_feed({})


def test_an_error_that_names_no_row_refuses_those_that_did_not_come_back(
    crm: HubSpotCrm, script: Script, shapes: Callable[..., Any]
) -> None:
    names = shapes()["contacts"].read_fields()
    script.says(200, {"results": [{"name": name, "type": "string"} for name in names]})
    script.says(
        207, {"results": [{"id": "1", "properties": {}}], "errors": [{"category": "FORBIDDEN", "message": "not you"}]}
    )
    changes = [Change.of("contacts", one, (FieldChange("rf_phone_reason", None, "x"),)) for one in ("1", "2")]

    written, refused = crm.write(changes)

    assert written.outcome is Outcome.WRITTEN
    assert (refused.outcome, refused.code, refused.message) == (Outcome.REFUSED, "FORBIDDEN", "not you")


def test_the_portals_own_limit_is_learnt_and_kept(clock: SetClock) -> None:
    limits = PortalLimits(AccountCalls(OwnLimits(clock.monotonic), clock, "hubspot:test"))
    limits.learn({"X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"})

    assert limits.size == (190, 10_000)

    limits.learn({"Content-Type": "application/json"})

    assert limits.size == (190, 10_000)

    started = clock.monotonic()

    for _ in range(190):
        limits.acquire(search=False)

    assert clock.monotonic() - started >= 10

    for _ in range(4):
        limits.acquire(search=True)

    before = clock.monotonic()
    limits.acquire(search=True)

    assert clock.monotonic() - before >= 1
