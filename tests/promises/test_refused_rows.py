"""A refused row is never counted as screened, the exit code says so, and it is tried again until it passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

PHONE = "+1 415 555 0132"


@pytest.fixture
def people() -> int:
    return 200


def refuse(account: Account, share: float, *, tries: int = 99, settings: str = "") -> None:
    rule = f"fault: {{kind: refuse_rows, fraction: {share}, tries: {tries}, message: Phones are frozen until Monday}}"
    account.fail(f"service: {account.crm}, {rule}", settings=settings)


def said(account: Account, key: tuple[str, str]) -> list[Any]:
    row = account.rows()[key]
    kinds = ("status", "reason", "e164", "screened_value", "last_screened", "line_type")
    return [row.get(account.companion(kind, role)) for kind in kinds for role in ("phone", "mobile")]


def refused_rows(command: Cli, run_id: str) -> list[tuple[str, str]]:
    shown = command("runs", "show", run_id, "--refused", "--json").document["changes"]
    assert {change["outcome"] for change in shown} <= {"refused"}
    assert all("frozen" in change["message"] for change in shown)
    return sorted((change["object"], change["id"]) for change in shown)


@pytest.mark.parametrize("sinks", ["whole", "row"])
def test_a_refused_row_is_never_counted_as_screened(account: Account, command: Cli, sinks: str) -> None:
    if account.crm == "salesforce" and sinks == "whole":
        pytest.skip("a row that Salesforce refuses never takes others with it")
    refuse(account, 0.1, settings=f"hubspot: {{invalid_value: {sinks}}}")
    before = {key: said(account, key) for key in account.rows()}
    first = command("sync", account.crm, "--json")

    assert first.code == 1

    rows = refused_rows(command, first.document["run_id"])
    assert len(rows) == first.total("failed") > 5
    assert first.document["waiting"] == {"failed": len(rows)}
    assert [said(account, key) for key in rows] == [before[key] for key in rows]
    assert {key for key, _ in account.unscreened()} <= set(rows)

    account.pass_time(hours=3)
    again = command("sync", account.crm, "--json")

    assert (again.code, again.total("failed"), again.total("written")) == (1, len(rows), 0)
    assert refused_rows(command, again.document["run_id"]) == rows

    account.fail()
    account.pass_time(hours=3)
    passed = command("sync", account.crm, "--json")

    assert (passed.code, passed.total("written")) == (0, len(rows))
    assert passed.document["waiting"] == {}
    assert account.unscreened() == []
    assert command("sync", account.crm, "--json").total("written") == 0


def test_a_refused_row_is_tried_again_when_its_record_changes(account: Account, command: Cli) -> None:
    refuse(account, 0.1)
    first = command("sync", account.crm, "--json")
    key = refused_rows(command, first.document["run_id"])[0]
    account.edit(key, phone=PHONE)
    account.fail()
    account.pass_time(minutes=3)

    assert command("sync", account.crm, "--json").code == 0
    assert account.rows()[key][account.companion("screened_value")] == PHONE


def test_a_refused_row_is_paid_for_once(open_account: Callable[[str], Any], monkeypatch: Any) -> None:
    account = open_account("here")
    refuse(account, 0.2)
    first = account.finish(account.start("sync", account.crm, "--json"))

    assert first.code == 1

    account.fail()
    last = account.finish(account.start("sync", account.crm, "--json"))

    assert last.code == 0
    assert last.total("written") == first.total("failed") > 10
    assert last.document["lookups"] == 0
    assert max(account.sandbox.twilio.billed.values()) == 1
