"""The cursor never passes a row that was not handled, though HubSpot's ids do not rise with the time of creation."""

from __future__ import annotations

import pytest

from testkit.account import Account
from testkit.commands import Cli


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [130])
def test_cursor_of_a_full_read_sees_what_is_created_behind_it_with_lower_ids(account: Account, command: Cli) -> None:
    added: list[tuple[str, str]] = []

    def tell(name: str) -> None:
        if name == "GET /crm/v3/objects/{type}" and account.requests[name] > 1 and not added:
            added.extend(account.add(20, phone="+44 20 7946 0018"))

    lowest = min(int(key[1]) for key in account.live())
    account.requests.tell = tell
    result = command("sync", "hubspot", "--json")
    account.requests.tell = None

    assert result.code == 0, result.err
    assert any(int(key[1]) < lowest for key in added)
    assert account.unscreened() == []


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [30])
def test_cursor_of_a_window_leaves_what_is_created_behind_it_to_the_next_run(account: Account, command: Cli) -> None:
    command("sync", "hubspot")
    account.pass_time(minutes=5)
    account.add(210, phone="+44 20 7946 0018")
    added: list[tuple[str, str]] = []

    def tell(name: str) -> None:
        if name.endswith("batch/read") and not added:
            added.extend(account.add(20, phone="+44 20 7946 0019"))

    account.requests.tell = tell
    assert command("sync", "hubspot", "--json").code == 0
    account.requests.tell = None
    account.pass_time(minutes=5)

    assert command("sync", "hubspot", "--json").code == 0
    assert len(added) == 20
    assert account.unscreened() == []
