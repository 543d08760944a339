"""No paid lookup twice, with several providers: one without credit in the middle, and kills anywhere."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from ringfence.sandbox.twilio.packages import line_status_of
from testkit.account import Account, Watched

pytestmark = pytest.mark.slow


@pytest.fixture
def people() -> int:
    """Give more American numbers than fit into a call of Bandwidth that is answered at once."""
    return 480


def sync(account: Account) -> Any:
    """Run a sync in a process of its own and return its result."""
    return account.finish(account.start("sync", account.crm, "--json"))


@pytest.mark.parametrize("people", [120])
def test_out_of_credit_in_the_middle_the_next_provider_goes_on_and_the_summary_says_so(
    asking: Callable[..., Account],
) -> None:
    account = asking("twilio", "vonage")
    account.fail("service: twilio, when: {after: 30}, fault: {kind: fail_packages, error_code: 60611}")

    text = account.finish(account.start("sync", account.crm))
    assert text.code == 0, text.err
    assert "vonage" in text.out
    told = [line for line in text.out.splitlines() if "twilio" in line and "quota" in line.lower()]
    assert told, text.out

    first, second = account.sandbox.twilio.billed, account.sandbox.lookups.billed_by("vonage")
    untold = {number for number in first if line_status_of(number) in (None, "unknown")}
    assert len(first) == 30
    assert len(second) > len(untold)
    assert set(first) & set(second) == untold
    assert set(first.values()) | set(second.values()) == {1}

    account.fail()
    assert sync(account).document["lookups"] == 0


ROUTING = """
routing:
  US: [bandwidth, twilio]
  GB: [infobip]
  DE: [infobip]
  default: [twilio, infobip]
"""
"""An order, calls about many numbers, and calls about one: each of them has numbers of its own."""


def test_three_providers_of_different_shapes_are_each_paid_once_whenever_the_run_is_killed(
    asking: Callable[..., Account],
) -> None:
    account = asking("twilio", "infobip", "bandwidth")
    account.extra["RINGFENCE_POLICY"] = str(account.folder / "policy.yaml")
    (account.folder / "policy.yaml").write_text(ROUTING, encoding="utf-8")
    elsewhere = Watched()
    account.sandbox.lookups.requests = elsewhere
    draw = Random("three providers")

    for at_most in (3, 40, 2):
        watched = draw.choice([account.asked, elsewhere])
        counted, at = itertools.count(1), draw.randint(1, at_most)
        account.killed(watched, lambda _name, counted=counted, at=at: next(counted) == at, "sync", account.crm)

    last = sync(account)
    assert last.code == 0, last.err
    assert last.document["complete"]
    bills = [account.sandbox.twilio.billed, *map(account.sandbox.lookups.billed_by, ("infobip", "bandwidth"))]
    assert all(bills)
    assert {count for bill in bills for count in bill.values()} == {1}
    assert sync(account).document["lookups"] == 0
