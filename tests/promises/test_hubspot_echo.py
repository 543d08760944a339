"""Limits hold: HubSpot shows a sync its own writes as changes for an hour, and they are read back once."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.connectors.hubspot import echo
from testkit.account import Account
from testkit.commands import Cli

OTHER = "+44 20 7946 0018"
QUIET = 10
"""Calls of a run in which nothing is new: log-in, preflight, watermark, and one or more searches of each kind."""


def sync(account: Account, command: Cli, *words: str) -> Any:
    result = command("sync", account.crm, "--json", *words)
    assert result.code == 0, result.err
    return result


@pytest.fixture(autouse=True)
def _every_echo_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "SMALL", 20)


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [150])
def test_five_runs_within_the_hour_cost_what_others_changed(account: Account, command: Cli) -> None:
    written = sync(account, command).total("written")
    account.pass_time(minutes=9)
    assert written > 100

    back = sync(account, command)

    assert (back.total("read"), back.total("written")) == (written, 0)

    keys = sorted(account.live())[:5]
    for number, key in enumerate(keys):
        account.pass_time(minutes=9)
        account.edit(key, phone=f"{OTHER[:-1]}{number}")
        result = sync(account, command)

        assert result.total("written") == 1
        # The contact is read again before it is paid for, and written.
        assert result.document["api_calls"] <= QUIET + 2
    assert account.unscreened() == []


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [60])
def test_an_edit_in_the_moment_of_our_write_that_shows_late_is_written(account: Account, command: Cli) -> None:
    sync(account, command)
    account.pass_time(hours=2)
    keys = account.add(250, phone="+1 415 555 0132")
    edited = keys[120]
    writes = 0

    def edit_in_between(row: tuple[str, Any]) -> None:
        nonlocal writes
        writes += 1
        if row[0] == keys[-1][1]:
            # We have written it a moment ago, and shall write more in this very second.
            account.edit(edited, phone=OTHER)
            account.sandbox.hubspot.search_lag_s = 3_500

    account.refuse(lambda *row: edit_in_between(row))
    sync(account, command)
    account.refuse(None)
    assert writes >= 250

    for _ in range(3):
        account.pass_time(minutes=2)
        sync(account, command)

    assert account.unscreened() == []


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [220])
def test_an_index_that_is_minutes_late_does_not_show_our_writes_again_and_again(account: Account, command: Cli) -> None:
    account.sandbox.hubspot.search_lag_s = 300
    sync(account, command)
    account.pass_time(minutes=9)
    # The index still shows these three as we wrote them when the others are read back.
    keys = sorted(account.live())[100:103]
    for key in keys:
        account.edit(key, phone=OTHER)
    sync(account, command)

    for _ in range(2):
        account.pass_time(minutes=9)
        result = sync(account, command)
        assert result.total("read") <= 2 * len(keys)
        assert result.document["api_calls"] <= QUIET + 2
    assert account.unscreened() == []


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [60])
def test_nothing_is_lost_where_the_state_is_and_the_echo_with_it(account: Account, command: Cli) -> None:
    sync(account, command)
    account.pass_time(minutes=9)
    sync(account, command)
    key = min(account.live())
    account.edit(key, phone=OTHER)
    account.lose_state()

    assert sync(account, command).total("written") == 1
    assert account.unscreened() == []


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [20])
@pytest.mark.parametrize("normalize", [False, True])
def test_a_phone_that_hubspot_formats_after_each_write_is_screened_once_more(
    account: Account, command: Cli, normalize: bool
) -> None:
    keys = account.add(3, phone="+1 (415) 555-0132")
    mapping = ("--mapping", account.map(phone=normalize, mobile=False))
    written, bought = [], []

    for _ in range(4):
        account.pass_time(minutes=3)
        result = sync(account, command, *mapping)
        written.append(result.total("written"))
        bought.append(result.document["lookups"])
        for key in keys:
            account.edit(key, phone="+1 415-555-0132")

    assert written[1:] == [3, 0, 0]
    assert bought[1:] == [0, 0, 0]
    assert account.unscreened() == []
