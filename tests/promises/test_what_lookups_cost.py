"""Limits hold: what a run says about a provider is what went out and what was billed, whatever the provider answers."""

from __future__ import annotations

import pytest

from ringfence.sandbox.org_file import parse_org
from testkit.account import Account
from testkit.commands import Cli, Result

PRICE = 0.017


@pytest.fixture
def people() -> int:
    return 25


def assert_true_to_the_bill(account: Account, result: Result, lost: int = 0) -> None:
    document, billed = result.document, account.sandbox.twilio.billed
    provider = document["providers"]["twilio"]
    assert provider["asked"] == account.asked.total() > 0
    assert document["lookups"] == billed.total()
    assert provider["cost"] == pytest.approx(billed.total() * PRICE)
    assert provider["lost"] == document["lookups_lost"] == lost
    assert max(billed.values(), default=1) == 1


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize(
    ("fault", "code", "stopped", "lost"),
    [
        ("fault: {kind: refuse, status: 401}", 3, "authentication", 0),
        ("when: {after: 9}, fault: {kind: refuse, status: 401}", 3, "authentication", 0),
        ("fault: {kind: refuse, status: 403}", 3, "authentication", 0),
        ("when: {after: 9}, fault: {kind: fail_packages, error_code: 60611}", 4, "quota", 0),
        ("fault: {kind: fail_packages, error_code: 60616}", 4, "quota", 0),
        ("when: {every: 3}, fault: {kind: fail_packages, error_code: 60616}", 4, None, 0),
        ("when: {every: 3}, fault: {kind: fail_packages, error_code: 60626}", 4, None, 0),
        ("fault: {kind: refuse, status: 403, code: 60606}", 0, None, 0),
        ("when: {every: 2}, fault: {kind: refuse, status: 400, code: 60610}", 0, None, 0),
        ("when: {nth: 5}, fault: {kind: truncate}", 0, None, 1),
        ("when: {nth: 5}, fault: {kind: empty, after_commit: true}", 0, None, 1),
        ("when: {nth: 5}, fault: {kind: reset, after_commit: true}", 0, None, 1),
        ("fault: {kind: truncate}", 4, "unreachable", 3),
    ],
)
def test_limits_of_money_are_told_as_they_were_billed(
    account: Account, command: Cli, fault: str, code: int, stopped: str | None, lost: int
) -> None:
    account.fail(f"service: twilio, {fault}")

    result = command("sync", account.crm, "--json")

    assert result.code == code, result.err
    assert result.document["providers"]["twilio"]["stopped"] == stopped
    assert_true_to_the_bill(account, result, lost)


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize(
    ("packages", "refuses", "billed"),
    [("[line_type_intelligence]", False, True), ("[]", False, False), ("[]", True, False)],
)
def test_an_account_without_line_status_is_told_once_what_to_enable_and_not_blamed_on_credentials(
    account: Account, command: Cli, packages: str, refuses: bool, billed: bool
) -> None:
    org = parse_org(f"twilio: {{packages: {packages}, refuses_packages: {str(refuses).lower()}}}", "test")
    account.sandbox.twilio.traits = org.section("twilio")

    result = command("sync", account.crm, "--json")

    assert (result.code, result.document["complete"]) == (0, True)
    assert result.err.count("Line Status") == 1
    assert "credential" not in result.err
    assert (result.document["lookups"] > 0) is billed
    assert_true_to_the_bill(account, result)
    assert account.unscreened() == []
