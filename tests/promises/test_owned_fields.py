"""Only owned fields are written."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.numbers import read_number
from ringfence.core.numbers.regions import read_region
from testkit.account import Account
from testkit.commands import Cli

PLATFORM = {"LastModifiedDate", "LastModifiedById", "SystemModstamp", "lastmodifieddate", "hs_lastmodifieddate"}


@pytest.fixture
def people() -> int:
    return 150


def differences(before: Any, after: Any) -> dict[tuple[str, str], dict[str, tuple[Any, Any]]]:
    """Return record -> field -> old and new value, for what differs beyond the CRM's own stamps."""
    assert set(after) == set(before)

    found = {}

    for key, row in after.items():
        was = before[key]
        names = {name for name in {*row, *was} - PLATFORM if row.get(name) != was.get(name)}
        if names:
            found[key] = {name: (was.get(name), row.get(name)) for name in sorted(names)}

    return found


def test_only_owned_fields_are_written(account: Account, command: Cli) -> None:
    before = account.everything()
    done = [command("sync", account.crm, "--dry-run", "--out", "plan.json", "--json")]

    assert differences(before, account.everything()) == {}

    done.append(command("sync", account.crm, "--apply", "plan.json", "--json"))
    done.append(command("sync", account.crm, "--json"))
    done.append(command("runs", "undo", done[-1].document["run_id"], "--json"))
    for words in (("--full",), ("--rescreen", "--yes"), ("--confirm-spread",)):
        done.append(command("sync", account.crm, *words, "--json"))

    assert [result.code for result in done] == [0] * len(done)

    found = differences(before, account.everything())
    assert len(found) > 100
    assert {key[0] for key in found} == ({"Contact", "Lead"} if account.crm == "salesforce" else {"contacts"})

    touched = {name for fields in found.values() for name in fields}
    assert [name for name in touched if not account.is_ours(name)] == []

    flag = account.names["flag"]
    assert {fields[flag][1] in (True, "true") for fields in found.values() if flag in fields} == {True}


def test_the_phone_field_is_written_only_where_the_mapping_says_so_and_to_say_the_same(
    account: Account, command: Cli
) -> None:
    mapping = account.map(phone=True, mobile=False)
    before = account.everything()

    assert command("sync", account.crm, "--mapping", mapping, "--json").code == 0

    rewritten = 0

    for key, fields in differences(before, account.everything()).items():
        assert key[0] == account.names["object"]
        if account.names["phone"] in fields:
            rewritten += 1
            was, now = fields.pop(account.names["phone"])
            assert now == read_number(was, read_region(before[key].get(account.names["country"]))).e164
        assert all(account.is_ours(name) for name in fields)

    assert rewritten > 20
