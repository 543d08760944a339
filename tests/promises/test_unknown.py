"""Unknown is not invalid: a lookup that fails changes no fact about the number."""

from __future__ import annotations

import pytest

from testkit.account import Account
from testkit.commands import Cli

FAILURES = {
    "refused": "refuse, status: 503",
    "too many": "refuse, status: 429",
    "bad credentials": "refuse, status: 401",
    "no such thing": "refuse, status: 404",
    "a web page": "html, status: 200",
    "nothing": "empty",
    "cut": "truncate, kept: 0.4",
    "reset": "reset",
    "billed and reset": "reset, after_commit: true",
    "a package failed": "fail_packages, error_code: 60616",
    "no coverage": "fail_packages, error_code: 60610",
}
STOPS = {"bad credentials": 3}


@pytest.fixture
def people() -> int:
    return 60


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("told", [True, False], ids=["told before", "offline before"])
def test_unknown_is_not_invalid(account: Account, command: Cli, failure: str, told: bool) -> None:
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = '["twilio"]' if told else "[]"
    assert command("sync", account.crm, "--json").code == 0

    account.age(days=40)
    before = account.lasting()
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = '["twilio"]'
    account.fail(f"service: twilio, fault: {{kind: {FAILURES[failure]}}}")
    account.lose_state()
    result = command("sync", account.crm, "--json")

    assert account.sandbox.twilio.requests.total() > 0
    assert result.code in ({STOPS[failure]} if failure in STOPS else {0, 4})
    for key, row in account.lasting().items():
        # The reason tells that somebody was asked; what is known about the number stays.
        assert [n for n in row if row[n] != before[key].get(n) and "reason" not in n.lower()] == []
