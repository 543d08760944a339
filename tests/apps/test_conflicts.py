"""Rows that somebody changed meanwhile: shown by the run, kept in its history, and no error."""

from __future__ import annotations

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli


@pytest.mark.usefixtures("settings")
def test_rows_that_a_plan_leaves_out_are_shown_and_kept(cli: Cli, sandbox: Sandbox) -> None:
    assert cli("sync", "hubspot", "--dry-run", "--out", "plan.json").code == 0
    changed = next(id_ for id_, row in sandbox.hubspot.contacts.items() if row.get("phone"))
    sandbox.hubspot.update_as_user(changed, phone="+1 415 555 0199")

    applied = cli("sync", "hubspot", "--apply", "plan.json", "--json")

    assert applied.code == 0
    assert [row["id"] for row in applied.document["conflicts"]] == [changed]
    assert applied.document["conflicts_total"] == 1
    shown = cli("runs", "show", applied.document["run_id"], "--conflicts", "--json").document["changes"]
    assert [(row["id"], row["outcome"], row["code"]) for row in shown] == [(changed, "conflict", "CHANGED_SINCE_PLAN")]
    assert changed in cli("runs", "show", applied.document["run_id"], "--conflicts").out

    again = cli("sync", "hubspot", "--apply", "plan.json", "--json")
    assert again.code == 2
    assert "already applied" in again.document["message"]
