"""Limits hold: calls a second, calls a day, money per run; and `Retry-After` is obeyed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ringfence.connectors.hubspot import limits
from ringfence.core.clock import SystemClock
from ringfence.sandbox.rates import RollingWindow
from testkit.account import Account
from testkit.commands import Cli

SEARCHES = limits.SEARCHES_PER_SECOND
ASKED_WAIT_S = 17
REFUSED = 5
ON_THEIR_WAY = {"crm": 0, "twilio": 7}  # requests beside the refused one that nothing can call back
BUDGET = 30


@pytest.fixture
def people() -> int:
    return 150


@pytest.fixture
def shared_clock(account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[[], datetime]:
    """Let ringfence and the services go by one clock, which a pause moves on instead of waiting."""
    clock = account.sandbox.clock
    monkeypatch.setattr(SystemClock, "now", lambda _self: clock.now())
    monkeypatch.setattr(SystemClock, "monotonic", lambda _self: clock.now().timestamp())
    monkeypatch.setattr(SystemClock, "sleep", lambda _self, seconds: clock.advance(seconds))
    return clock.now


class CountingWindow(RollingWindow):
    """A limit of the service that counts whom it turned away."""

    refused = 0

    def take(self, now: datetime) -> bool:
        taken = super().take(now)
        self.refused += not taken
        return taken


@pytest.mark.usefixtures("shared_clock")
def test_limits_of_calls_a_second_hold(account: Account, command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    if account.crm != "hubspot":
        pytest.skip("Salesforce counts calls by the day; see the tests of its daily reserve")
    monkeypatch.setattr(limits, "SEARCHES_PER_SECOND", SEARCHES)
    portal = account.sandbox.hubspot
    portal.searches, portal.calls = CountingWindow(5, 1), CountingWindow(6, 10)
    monkeypatch.setattr(limits, "CALLS", 6)
    for words in ((), ("--full",), ("--rescreen", "--yes")):
        assert command("sync", "hubspot", *words).code == 0
        account.pass_time(seconds=11)

    assert portal.requests.total() > 40
    assert (portal.searches.refused, portal.calls.refused) == (0, 0)


@pytest.mark.parametrize("service", ["crm", "twilio"])
def test_limits_are_waited_for_as_long_as_the_service_asks(
    account: Account, command: Cli, shared_clock: Callable[[], datetime], service: str
) -> None:
    name = account.crm if service == "crm" else "twilio"
    watched = account.requests if service == "crm" else account.asked
    arrivals: list[datetime] = []
    watched.tell = lambda _request: arrivals.append(shared_clock())
    fault = f"fault: {{kind: refuse, status: 429, retry_after: {ASKED_WAIT_S}}}"
    account.fail(f"service: {name}, when: {{nth: {REFUSED}}}, {fault}")

    assert command("sync", account.crm, "--json").code == 0

    told, later = arrivals[REFUSED - 1], arrivals[REFUSED + ON_THEIR_WAY[service] :]
    assert len(later) > 5
    assert min(later) - told >= timedelta(seconds=ASKED_WAIT_S)


def test_limits_of_money_per_run_hold_also_where_answers_are_lost(account: Account, command: Cli) -> None:
    account.extra["RINGFENCE_LOOKUP__MAX_LOOKUPS"] = str(BUDGET)
    account.fail("service: twilio, when: {every: 3}, fault: {kind: reset, after_commit: true}")
    asked = account.sandbox.twilio.billed

    for run in range(1, 4):
        stopped = command("sync", account.crm, "--json")
        assert stopped.code == 4
        assert "MAX_LOOKUPS" in stopped.document["stopped"]
        assert sum(asked.values()) == run * BUDGET
        assert stopped.document["lookups"] == BUDGET

    assert max(asked.values()) == 1


@pytest.mark.parametrize("status", [502, 504, 500])
def test_limits_of_money_per_run_hold_where_a_gateway_fails_after_the_provider_billed(
    account: Account, command: Cli, status: int
) -> None:
    account.extra["RINGFENCE_LOOKUP__MAX_LOOKUPS"] = "20"
    account.fail(f"service: twilio, when: {{every: 2}}, fault: {{kind: refuse, status: {status}, after_commit: true}}")

    stopped = command("sync", account.crm, "--json")

    assert (stopped.code, stopped.document["complete"]) == (4, False)
    assert account.asked.total() == account.sandbox.twilio.billed.total() == 20
    assert max(account.sandbox.twilio.billed.values()) == 1


@pytest.mark.usefixtures("shared_clock")
def test_limits_of_calls_a_day_end_a_run_in_good_order(account: Account, command: Cli) -> None:
    if account.crm != "hubspot":
        pytest.skip("Salesforce has a reserve that is tested by itself")
    daily = account.sandbox.hubspot.daily

    assert command("check", "hubspot").code == 0

    daily.limit = daily.used + 8
    stopped = command("sync", "hubspot", "--json")

    assert stopped.code == 4
    assert not stopped.document["complete"]
    assert "daily limit" in stopped.document["stopped"]
    assert "midnight" in stopped.document["stopped"]

    daily.limit = 100_000
    account.pass_time(days=1)

    assert command("sync", "hubspot", "--json").document["complete"]
    assert account.unscreened() == []
    assert max(account.sandbox.twilio.billed.values()) == 1
