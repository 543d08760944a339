"""Undo restores exactly what we changed and nobody changed since."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

TYPED = "a person wrote this"
NEW = "+44 20 7946 0018"


def without_stamps(rows: Any) -> Any:
    """Return the rows with their empty fields left out: an empty text and no value are the same to the CRMs."""
    return {key: {name: value for name, value in row.items() if value not in (None, "")} for key, row in rows.items()}


def is_silenced(account: Account, row: Any) -> bool:
    return any(row.get(account.companion("status", role)) == "do_not_contact" for role in ("phone", "mobile"))


@pytest.mark.both_engines
def test_undo_restores_exactly_what_we_changed_and_nobody_changed_since(account: Account, command: Cli) -> None:
    account.sandbox.hubspot.noop_bumps = False
    before = without_stamps(account.lasting())
    synced = command("sync", account.crm, "--json")

    assert synced.code == 0

    written = without_stamps(account.lasting())
    changed = [key for key in sorted(before) if written[key] != before[key]]
    reason = account.companion("reason")
    spoken = [key for key in changed if not is_silenced(account, written[key])]
    spoken = [key for key in spoken if written[key].get(reason) != before[key].get(reason)]
    draw = Random(5).sample(spoken, 8)
    retyped, moved = draw[:4], draw[4:]
    for key in retyped:
        account.set(key, **{reason: TYPED})
    for key in moved:
        account.edit(key, phone=NEW)
    expected = {key: dict(row) for key, row in before.items()}
    for key in retyped:
        expected[key][reason] = TYPED
    for key in moved:
        expected[key][account.names["phone"]] = NEW
    rehearsed = command("runs", "undo", synced.document["run_id"], "--dry-run", "--json").document
    undone = command("runs", "undo", synced.document["run_id"], "--json")

    assert undone.code == 0
    assert undone.document["fields"] == rehearsed["fields"] > 500
    assert undone.document["kept"]["changed since"] == len(retyped)

    after = without_stamps(account.lasting())

    for key in before:
        if not is_silenced(account, written[key]):
            assert after[key] == expected[key]
        elif key not in moved:
            # What silences stays; the other slot of such a record may be restored.
            assert account.is_flagged(after[key]) == account.is_flagged(written[key])
            assert is_silenced(account, after[key])


@pytest.mark.slow
def test_undo_that_is_killed_and_run_again_ends_like_an_unbroken_one(open_account: Callable[[str], Any]) -> None:
    unbroken, broken = open_account("unbroken"), open_account("broken")
    run_ids = []

    for account in (unbroken, broken):
        account.sandbox.hubspot.noop_bumps = False
        account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
        run_ids.append(account.finish(account.start("sync", account.crm, "--json")).document["run_id"])

    made = unbroken.requests.total()

    assert unbroken.finish(unbroken.start("runs", "undo", run_ids[0], "--json")).document["records"] > 100

    counted = itertools.count(made + 1)
    last = unbroken.requests.total()

    # The last request writes: the CRM carries it out, and nobody is left to hear so.
    assert broken.killed(broken.requests, lambda _name: next(counted) == last, "runs", "undo", run_ids[1], "--json")

    undone = broken.finish(broken.start("runs", "undo", run_ids[1], "--json"))
    assert undone.code == 0, undone.err
    assert undone.document["reconciled"] > 0
    assert broken.lasting() == unbroken.lasting()
