"""The daily reserve is left to others, and few requests run at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.connectors.http.account_calls import AccountCalls
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.quota import (
    AT_ONCE,
    FOR_WRITES,
    GOOD_FOR,
    NOTE_GOOD_FOR,
    Quota,
    Usage,
    read_usage,
)
from ringfence.core.clock import SystemClock
from ringfence.core.errors import QuotaError
from ringfence.core.model.values import Change, FieldChange, Outcome
from ringfence.core.ports.own_limits import OwnLimits
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def describe_often(crm: SalesforceCrm) -> None:
    for _ in range(10):
        crm._client.describe("Contact")


def calls_to_an_org() -> AccountCalls:
    clock = SystemClock()
    return AccountCalls(OwnLimits(clock.monotonic), clock, "salesforce:acme")


def use(quota: Quota, now: datetime = NOW, calls: AccountCalls | None = None) -> None:
    with quota.hold(calls or calls_to_an_org(), now):
        pass


@pytest.mark.parametrize(
    ("header", "usages"),
    [
        ("", ()),
        ("api-usage=18/5000", (Usage(18, 5000),)),
        (
            "api-usage=18/5000; per-app-api-usage=17/250(appName=sample app)",
            (Usage(18, 5000), Usage(17, 250, "sample app")),
        ),
        ("per-app-api-usage=17/250(appName=sample)", (Usage(17, 250, "sample"),)),
        ("per-app-api-usage=17/250", (Usage(17, 250, "in use"),)),
        ("something=else", ()),
    ],
)
def test_both_forms_of_the_usage_header_are_read(header: str, usages: tuple[Usage, ...]) -> None:
    assert read_usage(header) == usages


@pytest.mark.parametrize(("reserve", "used", "stops"), [(20, 79, False), (20, 80, True), (0, 99, False), (95, 5, True)])
def test_the_reserve_is_never_touched(reserve: int, used: int, stops: bool) -> None:
    quota = Quota(reserve)
    quota.learn(f"api-usage={used}/100", NOW)
    if stops:
        with pytest.raises(QuotaError):
            use(quota)
    else:
        use(quota)


def test_an_answer_without_figures_forgets_none() -> None:
    quota = Quota(20)
    quota.learn("api-usage=90/100", NOW)
    quota.learn("", NOW)

    with pytest.raises(QuotaError):
        use(quota)


def test_an_old_figure_is_learnt_anew_by_one_call() -> None:
    quota = Quota(20)
    quota.learn("api-usage=90/100", NOW)
    later = NOW + GOOD_FOR + timedelta(minutes=1)

    with pytest.raises(QuotaError):
        use(quota, NOW + GOOD_FOR)

    use(quota, later)

    with pytest.raises(QuotaError):
        use(quota, later)

    quota.learn("api-usage=10/100", later)
    use(quota, later)


def test_calls_under_way_count_before_they_are_answered() -> None:
    quota = Quota(20)
    quota.learn("api-usage=78/100", NOW)

    calls = calls_to_an_org()

    with quota.hold(calls, NOW), quota.hold(calls, NOW), pytest.raises(QuotaError):
        use(quota, calls=calls)

    use(quota, calls=calls)


def test_what_one_process_was_told_the_others_go_by() -> None:
    ours, theirs, calls = Quota(20), Quota(20), calls_to_an_org()
    with ours.hold(calls, NOW):
        ours.learn("api-usage=79/100", NOW)

    with theirs.hold(calls, NOW), pytest.raises(QuotaError):
        use(ours, calls=calls)

    use(Quota(20), NOW + NOTE_GOOD_FOR + timedelta(seconds=1), calls)


def test_few_requests_run_at_once() -> None:
    quota, resume, calls = Quota(20), threading.Event(), calls_to_an_org()
    inside, full = threading.Semaphore(0), []

    def call() -> None:
        with quota.hold(calls, NOW):
            inside.release()
            resume.wait(10)

    threads = [threading.Thread(target=call) for _ in range(AT_ONCE + 3)]
    for thread in threads:
        thread.start()

    for _ in range(AT_ONCE):
        assert inside.acquire(timeout=10)

    full.append(inside.acquire(timeout=0.05))
    resume.set()

    for thread in threads:
        thread.join(10)

    assert full == [False]
    assert all(inside.acquire(timeout=10) for _ in range(3))


def test_a_run_stops_in_front_of_the_reserve_and_says_when_to_go_on(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    org.api_limit, org.api_usage = 100, 75
    crm = connect()

    with pytest.raises(QuotaError) as caught:
        describe_often(crm)

    assert org.api_usage == 80
    assert caught.value.message.startswith(
        "80 of 100 daily API calls of the org are used, and 20 % are left to others."
    )

    moment = sandbox.clock.now() + timedelta(hours=24)

    assert f"{moment:%Y-%m-%d %H:%M} UTC" in caught.value.remedy
    assert "RINGFENCE_SALESFORCE__DAILY_RESERVE" in caught.value.remedy


def test_reads_leave_calls_for_writing_what_they_brought(connect: Connect, org: SalesforceOrg) -> None:
    org.api_limit, org.api_usage, org.page_size = 100, 60, 3
    crm = connect()

    with pytest.raises(QuotaError, match="10 to writing what has been read"):
        list(crm.open_feed({}).changed())

    assert org.api_usage == 80 - FOR_WRITES

    change = Change.of("Contact", next(iter(org.rows("Contact"))), (FieldChange("Title", None, "boss"),))

    for left in range(FOR_WRITES, 0, -1):
        assert org.api_usage == 80 - left
        assert crm.write([change])[0].outcome is Outcome.WRITTEN

    with pytest.raises(QuotaError):
        crm.write([change])


def test_the_limit_of_the_app_counts_too(connect: Connect, org: SalesforceOrg) -> None:
    org.app_limit = ("ringfence", 10)
    crm = connect()

    with pytest.raises(QuotaError, match="8 of 10 daily API calls of the app ringfence"):
        describe_often(crm)

    assert org.api_usage == 8


def test_a_log_in_does_not_touch_the_reserve(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    settings = {
        "login_url": sandbox.salesforce_url,
        "client_id": org.client_id,
        "client_secret": org.client_secret,
    }
    client = connect(settings=settings)._client
    org.api_usage = org.api_limit * 8 // 10 - 2
    client.describe("Contact")
    org.expire_tokens()
    client.describe("Contact")
    org.expire_tokens()

    with pytest.raises(QuotaError):
        client.describe("Contact")

    assert client.calls["login"] == 2


def test_the_reserve_can_be_set(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    org.api_limit = 10
    direct = {"instance_url": sandbox.salesforce_url, "access_token": org.access_token}
    crm = connect(settings={**direct, "daily_reserve": 50})

    with pytest.raises(QuotaError, match="50 %"):
        describe_often(crm)

    assert org.api_usage == 5


def test_salesforces_own_refusal_says_when_to_go_on(crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox) -> None:
    org.api_limit = org.api_usage

    with pytest.raises(QuotaError, match="TotalRequests") as caught:
        crm.fetch("Contact", ["003000000000000AAA"])

    assert f"{sandbox.clock.now() + timedelta(hours=24):%Y-%m-%d %H:%M} UTC" in caught.value.remedy
