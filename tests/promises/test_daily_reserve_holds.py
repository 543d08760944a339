"""Limits hold: the calls that Salesforce counts a day, of which a part is left to everybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from testkit.account import Account

LIMIT, RESERVE, LEFT = 100, 20, 30


@pytest.fixture
def crm() -> str:
    return "salesforce"


def test_limits_hold_the_daily_reserve_is_never_touched_and_a_stopped_run_goes_on(
    open_account: Callable[[str], Any], account: Account, command: Callable[..., Any]
) -> None:
    whole = open_account("unbroken")
    assert whole.finish(whole.start("sync", "salesforce", "--json")).code == 0

    org = account.sandbox.salesforce
    org.page_size, org.api_limit = 20, LIMIT
    read, runs = [], 0

    while runs < 10:
        runs += 1
        account.pass_time(hours=24)
        org.api_usage = LIMIT - RESERVE - LEFT  # a new day on which others have used the rest
        result = command("sync", "salesforce", "--json")
        assert org.api_usage <= LIMIT - RESERVE
        read.append(result.total("read"))
        if result.code == 0:
            break
        assert result.code == 4
        assert f"of {LIMIT} daily API calls of the org are used, and 20 % are left" in result.document["stopped"]
        assert "Run again at" in result.document["stopped"]
        assert not result.document["complete"]

    assert result.code == 0
    assert runs > 2
    assert all(read), "each run went on from the place that the one before it had saved"
    assert account.lasting() == whole.lasting()
    assert max(account.sandbox.twilio.billed.values()) == 1
