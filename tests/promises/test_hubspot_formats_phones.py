"""A human's edit is never lost, nor HubSpot's: a number that it rewrites after each write is screened once more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.server import Sandbox
from testkit.account import Account
from testkit.commands import Cli

ORG = "hubspot: {formats_phones: true}"


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with Sandbox(contacts=20, now=datetime.now(UTC), org=parse_org(ORG, "test")) as sandbox:
        yield Account("hubspot", sandbox, tmp_path / "here")


@pytest.mark.parametrize("normalize", [False, True])
def test_a_human_edit_that_hubspot_formats_is_screened_once_more_and_no_loop_begins(
    account: Account, command: Cli, normalize: bool
) -> None:
    mapping = ("--mapping", account.map(phone=normalize, mobile=False))
    command("sync", "hubspot", *mapping)
    keys = account.add(3, phone="+14155550132")
    written, bought = [], []

    for _ in range(4):
        result = command("sync", "hubspot", "--json", *mapping)
        assert result.code == 0, result.err
        account.pass_time(minutes=3)
        written.append(result.total("written"))
        bought.append(result.document["lookups"])

    assert min(written[:2]) >= len(keys)
    assert written[2:] == [0, 0]
    assert sum(bought) == 1
    assert account.unscreened() == []
    assert {account.live()[key]["phone"] for key in keys} == {"+1 415-555-0132"}
