"""``ringfence suppress lift`` over the sandbox: one mistaken click, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli

NUMBER = "+14155552671"


def lift(cli: Cli, *words: str) -> Any:
    return cli("suppress", "lift", NUMBER, "--reason", "clicked by mistake", *words, "--json")


def flags(sandbox: Sandbox, ids: list[str]) -> set[object]:
    return {sandbox.salesforce.rows("Contact")[each]["DoNotCall"] for each in ids}


@pytest.mark.slow
@pytest.mark.usefixtures("settings")
def test_a_mistaken_click_is_taken_back_everywhere(cli: Cli, sandbox: Sandbox) -> None:
    hub, *_ = sandbox.hubspot.contacts
    sandbox.hubspot.update_as_user(hub, phone=NUMBER, mobilephone="", rf_do_not_call="true")
    ids = list(sandbox.salesforce.rows("Contact"))[:3]
    for each in ids:
        sandbox.salesforce.update_as_user("Contact", each, Phone=NUMBER, MobilePhone=None, DoNotCall=False)
    assert cli("sync", "--all", "--yes").code == 0
    assert flags(sandbox, ids) == {True}

    assert lift(cli).code == 2
    preview = lift(cli, "--dry-run")
    assert flags(sandbox, ids) == {True}
    done = lift(cli, "--yes")

    assert preview.document["flags_lowered"] == done.document["flags_lowered"] == {"hubspot": 1, "salesforce": 3}
    assert (done.code, done.document["kept"], done.document["still_suppressed"]) == (0, [], False)
    assert flags(sandbox, ids) == {False}
    assert cli("suppress", "check", NUMBER).code == 0
    assert cli("sync", "--all").code == 0
    assert flags(sandbox, ids) == {False}
    kinds = {run["run_id"]: run["what"] for run in cli("runs", "list", "--json").document["runs"]}
    assert [kinds[run_id] for run_id in done.document["run_ids"]] == ["lift", "lift"]
    shown = cli("runs", "show", done.document["run_ids"][1], "--changes", "--json").document
    assert [change["kinds"] for change in shown["changes"]] == [["flag_lowered"]] * 3
    assert "3 flags lowered" in cli("runs", "show", done.document["run_ids"][1]).out


def test_without_an_account_the_entries_are_lifted(cli: Cli) -> None:
    cli("suppress", "add", NUMBER, "--reason", "asked us")

    refused, done, again = lift(cli), lift(cli, "--yes"), lift(cli, "--yes")

    assert refused.code == 2
    assert (done.code, done.document["lifted"], done.document["run_ids"]) == (0, 1, [])
    assert (again.code, again.document["lifted"]) == (0, 0)
    assert cli("suppress", "check", NUMBER).code == 0
    assert [each["action"] for each in cli("audit", "list", "--json").document["entries"]] == ["lift", "add"]


def test_a_lift_needs_a_reason(cli: Cli) -> None:
    assert cli("suppress", "lift", NUMBER, "--yes").code == 2
