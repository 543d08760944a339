"""Opt-outs have the first places of a run's ``--limit``, and a used-up budget of lookups keeps nobody from silence."""

from __future__ import annotations

from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

SHARED = "+1 202 555 0150"


@pytest.fixture
def people() -> int:
    return 6


def statuses(account: Account, keys: list[tuple[str, str]]) -> list[Any]:
    return [account.rows()[key].get(account.companion("status")) for key in keys]


def refuse(account: Account, key: tuple[str, str]) -> None:
    def rule(*row: Any) -> tuple[str, str] | None:
        found = str(row[-2]["Id"]) if account.crm == "salesforce" else row[0]
        return ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not this one") if found == key[1] else None

    account.refuse(rule)


def test_an_opt_out_under_a_limit_comes_before_what_is_new(account: Account, command: Cli) -> None:
    asks, shares = account.add(2, phone=SHARED)
    command("sync", account.crm, "--json")
    account.pass_time(minutes=3)
    account.edit(asks, flag=True)
    account.add(12, phone="+1 202 555 0170")
    account.pass_time(minutes=3)

    limited = command("sync", account.crm, "--json", "--limit", "2")

    assert statuses(account, [asks, shares]) == ["do_not_contact", "do_not_contact"]
    assert account.is_flagged(account.rows()[shares])
    counts = limited.document["objects"].values()
    assert sum(each["due"] for each in counts) == sum(each["written"] for each in counts) == 2


def test_a_first_sync_under_a_limit_silences_first(account: Account, command: Cli) -> None:
    asks = account.add(1, phone=SHARED, flag=True)[0]

    first = command("sync", account.crm, "--json", "--limit", "1")

    assert statuses(account, [asks]) == ["do_not_contact"]
    assert sum(each["due"] for each in first.document["objects"].values()) == 1


def test_a_preview_under_a_limit_names_each_record_once(account: Account, command: Cli) -> None:
    asks, shares = account.add(2, phone=SHARED)
    command("sync", account.crm, "--json")
    account.pass_time(minutes=3)
    account.edit(asks, flag=True)
    account.pass_time(minutes=3)

    preview = command("sync", account.crm, "--dry-run", "--limit", "50", "--json").document
    done = command("sync", account.crm, "--limit", "50", "--json").document

    changed = [(each["object"], each["id"]) for each in preview["changes_shown"]]
    assert sorted(changed) == sorted([asks, shares])
    assert preview["objects"] == done["objects"]


def test_a_plan_under_a_limit_counts_the_opt_outs_that_it_enforces(account: Account, command: Cli) -> None:
    asks = account.add(2, phone=SHARED)[0]
    command("sync", account.crm, "--json")
    account.pass_time(minutes=3)
    account.edit(asks, flag=True)
    account.pass_time(minutes=3)

    planned = command("sync", account.crm, "--dry-run", "--limit", "2", "--out", "plan.json", "--json").document
    applied = command("sync", account.crm, "--apply", "plan.json", "--json").document

    counted = ("written", "opt_outs_enforced", "flags_raised", "slots_silenced")
    for counts in (planned, applied):
        assert [sum(each[name] for each in counts["objects"].values()) for name in counted] == [2, 2, 1, 2]


def test_limited_runs_come_to_the_same_end_as_one_without_limit(account: Account, command: Cli) -> None:
    asks, shares = account.add(2, phone=SHARED)
    account.edit(asks, flag=True)

    runs = 0
    while not command("sync", account.crm, "--json", "--limit", "3").document["complete"]:
        runs += 1
        account.pass_time(minutes=3)
        assert runs < 12

    account.pass_time(minutes=3)
    after = command("sync", account.crm, "--json").document
    assert sum(each["written"] for each in after["objects"].values()) == 0
    assert account.is_flagged(account.rows()[shares])
    assert None not in {
        row.get(account.companion("status")) for row in account.rows().values() if row.get(account.names["phone"])
    }


def test_a_refused_opt_out_uses_up_no_limit_for_good(account: Account, command: Cli) -> None:
    asks, shares = account.add(2, phone=SHARED)
    command("sync", account.crm, "--json")
    account.pass_time(minutes=3)
    account.edit(asks, flag=True)
    new = account.add(2, phone="+1 202 555 0170")
    refuse(account, asks)

    codes = []
    for _ in range(4):
        account.pass_time(minutes=3)
        codes.append(command("sync", account.crm, "--json", "--limit", "1").code)
    account.refuse(None)
    last = command("sync", account.crm, "--json", "--limit", "1")

    assert codes == [1, 0, 0, 0]
    assert statuses(account, [shares, asks]) == ["do_not_contact"] * 2
    assert None not in statuses(account, new)
    assert last.document["complete"]


def test_refused_rows_of_a_page_use_up_no_limit_for_good(account: Account, command: Cli) -> None:
    command("sync", account.crm, "--json")
    account.pass_time(minutes=3)
    refused, new = account.add(2, phone="+1 202 555 0170")
    refuse(account, refused)

    for _ in range(2):
        account.pass_time(minutes=3)
        command("sync", account.crm, "--json", "--limit", "1")

    assert [status is None for status in statuses(account, [refused, new])] == [True, False]


def test_a_first_sync_whose_budget_is_used_up_silences_every_holder(account: Account, command: Cli) -> None:
    asks = account.add(1, phone=SHARED, flag=True)[0]
    for i in range(230):
        account.add(1, phone=f"+1 415 {300 + i} 2671")
    shares = account.add(1, phone=SHARED)[0]
    account.extra.update({"RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]', "RINGFENCE_LOOKUP__MAX_LOOKUPS": "5"})

    first = command("sync", account.crm, "--json")

    assert first.code == 4
    assert (first.document["complete"], first.document["lookups"]) == (False, 5)
    assert statuses(account, [asks, shares]) == ["do_not_contact", "do_not_contact"]
    assert account.is_flagged(account.rows()[shares])
    account.pass_time(minutes=3)
    second = command("sync", account.crm, "--json").document
    assert second["lookups"] == 5
    assert set(account.sandbox.twilio.billed.values()) == {1}
