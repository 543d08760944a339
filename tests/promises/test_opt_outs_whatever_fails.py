"""An opt-out is enforced in the run that sees it, whatever else of that run fails: on every record with the number."""

from __future__ import annotations

import pytest

from testkit.account import Account
from testkit.commands import Cli

SHARED, OTHER, NEW = "+1 415 555 0132", "+44 20 7946 0018", "+1 415 555 0133"
TRUE = {"salesforce": "true", "hubspot": "'true'"}
OUTAGES = {
    "refused credentials": ("{kind: refuse, status: 401}", 3),
    "no answer": ("{kind: refuse, status: 503}", 4),
}


@pytest.fixture
def people() -> int:
    return 40


@pytest.fixture
def asked(account: Account, command: Cli) -> list[tuple[str, str]]:
    """A person who asks for silence after a first sync, and two others with one of that person's numbers."""
    asks, shares = account.add(1, phone=SHARED, mobile=OTHER)[0], account.add(1, mobile=SHARED)[0]
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
    assert command("sync", account.crm, "--json").code == 0

    account.pass_time(minutes=3)
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = '["twilio"]'
    account.edit(asks, flag=True)
    more = account.add(1, phone=SHARED)[0]
    account.pass_time(minutes=3)
    return [asks, shares, more]


def assert_enforced(account: Account, keys: list[tuple[str, str]]) -> None:
    rows = account.rows()
    assert [key for key in keys if not account.is_flagged(rows[key])] == []
    said = {
        rows[key].get(account.companion("status", role))
        for key in keys
        for role in ("phone", "mobile")
        if rows[key].get(account.names[role])
    }
    assert said == {"do_not_contact"}


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("words", [(), ("--full",)])
def test_opt_outs_are_enforced_while_the_provider_fails(
    account: Account, command: Cli, asked: list[tuple[str, str]], outage: str, words: tuple[str, ...]
) -> None:
    new = account.add(1, phone=NEW)[0]
    account.pass_time(minutes=3)
    fault, code = OUTAGES[outage]
    account.fail(f"service: twilio, fault: {fault}")

    result = command("sync", account.crm, "--json", *words)

    assert result.code == code, result.err
    assert_enforced(account, asked)
    assert not account.rows()[new].get(account.companion("status"))

    account.fail()
    account.pass_time(minutes=3)
    assert command("sync", account.crm, "--json").code == 0
    assert account.rows()[new][account.companion("status")]


def test_opt_outs_are_enforced_where_a_guard_stops_the_run(
    account: Account, command: Cli, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.core.decisions.mass_change.SMALLEST_SAMPLE", 5)
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
    for key in account.live():
        if key not in asked:
            account.edit(key, phone="+1 999 555 0100")
    account.pass_time(minutes=3)
    before = account.rows()

    stopped = command("sync", account.crm, "--json")

    assert stopped.code == 4
    assert "would become invalid" in stopped.document["stopped"]
    assert_enforced(account, asked)
    for key, row in account.rows().items():
        if row.get(account.companion("status")) != "do_not_contact":
            assert row.get(account.companion("status")) == before[key].get(account.companion("status"))


def test_an_opt_out_set_behind_the_place_of_a_full_read_is_enforced_in_that_run(account: Account, command: Cli) -> None:
    before = [key for key, row in account.rows().items() if account.is_flagged(row)]
    edit = f"{{kind: edit_rows, among: request, count: 4, values: {{{account.names['flag']}: {TRUE[account.crm]}}}}}"
    account.fail(f"service: {account.crm}, when: {{purpose: write, after: {account.probes}, times: 1}}, fault: {edit}")

    done = command("sync", account.crm, "--json")

    assert done.code == 0
    assert done.total("read") == len(account.live())
    flagged = [key for key, row in account.rows().items() if account.is_flagged(row)]
    assert len(flagged) > len(before)
    assert_enforced(account, flagged)
