"""The cursor never passes a row that was not handled."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from testkit.account import Account
from testkit.commands import Cli

TIED = 25_000
FILLED = 150
PHONE, OTHER = "+1 415 555 0132", "+44 20 7946 0018"
STORM = {
    "salesforce": (
        "service: salesforce, when: {path: '/query/{locator}', every: 4}, fault: {kind: drop_cursors}",
        "service: salesforce, when: {path: /query}, fault: {kind: short_pages, smallest: 5, largest: 30}",
        "service: salesforce, when: {purpose: read, every: 3}, fault: {kind: edit_rows, count: 3}",
        "service: salesforce, when: {purpose: read, every: 5}, fault: {kind: touch_rows, count: 5}",
        "service: salesforce, when: {purpose: read, every: 7}, fault: {kind: merge_rows}",
        "service: salesforce, when: {purpose: read, every: 8}, fault: {kind: convert_leads}",
        "service: salesforce, when: {purpose: write, every: 2}, fault: {kind: delete_rows, among: request}",
        "service: salesforce, when: {purpose: read, nth: 6}, fault: {kind: late_commit, count: 4, requests: 9}",
    ),
    "hubspot": (
        "service: hubspot, when: {purpose: read}, fault: {kind: disorder_results, block: 60}",
        "service: hubspot, when: {purpose: read, every: 2}, fault: {kind: misstate_total, by: -3}",
        "service: hubspot, when: {purpose: read, every: 3}, fault: {kind: edit_rows, count: 3}",
        "service: hubspot, when: {purpose: read, every: 4}, fault: {kind: merge_rows}",
        "service: hubspot, when: {purpose: write, every: 2}, fault: {kind: delete_rows, among: request}",
    ),
}


def sync(account: Account, command: Cli, *words: str) -> Any:
    """Run a sync some minutes after whatever happened before."""
    account.pass_time(minutes=3)
    result = command("sync", account.crm, "--json", *words)
    assert result.code == 0, result.err
    return result


@pytest.mark.slow
@pytest.mark.parametrize("people", [0])
def test_the_cursor_passes_none_of_25000_rows_on_one_timestamp(account: Account, command: Cli) -> None:
    account.sandbox.salesforce.page_size = 2_000
    sync(account, command)
    # Screened before, so that nothing but the feed of changes leads to them.
    filled = account.add(FILLED, phone=PHONE)
    sync(account, command)
    keys = filled + account.add(TIED - FILLED)
    Random(3).shuffle(filled)
    for key in filled:
        account.edit(key, phone=OTHER)
    account.stamp(keys)
    done = 0

    while not (result := sync(account, command, "--limit", "60")).document["complete"]:
        assert result.total("written") == 60
        done += 60
        assert len(account.unscreened()) == FILLED - done

    assert (done, result.total("written")) == (120, 30)
    assert account.unscreened() == []


@pytest.mark.parametrize("people", [60])
def test_the_cursor_passes_no_row_that_becomes_visible_late(account: Account, command: Cli) -> None:
    sync(account, command)
    key = account.add(1, phone=PHONE)[0]
    sync(account, command)

    if account.crm == "salesforce":
        late = account.sandbox.salesforce.open_transaction()
        late.update(*key, Phone=OTHER)
    else:
        account.sandbox.hubspot.search_lag_s = 3_000
        account.edit(key, phone=OTHER)

    for _ in range(4):
        account.pass_time(minutes=8)
        sync(account, command)

    assert account.rows()[key][account.companion("screened_value")] == PHONE

    if account.crm == "salesforce":
        late.commit()
    account.pass_time(minutes=8)
    sync(account, command)

    assert account.unscreened() == []


@pytest.mark.parametrize("people", [60])
def test_the_cursor_passes_no_row_whose_stamp_lies_behind_it(account: Account, command: Cli) -> None:
    keys = account.add(3, phone=PHONE)
    sync(account, command)
    sync(account, command)
    for key in keys:
        account.edit(key, phone=OTHER)
    # Nothing told that these were on their way: they show up behind a cursor that has moved on.
    account.stamp(keys, seconds_ago=200)
    sync(account, command)

    assert account.unscreened() == []


@pytest.mark.parametrize("people", [200])
def test_the_cursor_passes_no_row_that_moves_while_it_is_read(account: Account, command: Cli) -> None:
    account.fail(*STORM[account.crm])
    for _ in range(3):
        sync(account, command, "--limit", "70")
    sync(account, command)
    account.fail()
    sync(account, command)

    assert account.unscreened() == []
    assert sync(account, command).total("written") == 0


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("people", [0])
def test_the_cursor_passes_no_row_whose_write_did_not_come_through(account: Account, command: Cli) -> None:
    first, between, last = account.add(50, phone=PHONE), account.add(200), account.add(50, phone=PHONE)
    sync(account, command)
    for key in (*first, *last):
        account.edit(key, phone=OTHER)
    account.stamp([*first, *between, *last])
    # Long enough for no overlap to read them again.
    account.pass_time(hours=2)
    when = f"when: {{purpose: write, after: {account.probes}}}"
    account.fail(f"service: {account.crm}, {when}, fault: {{kind: refuse, status: 503}}")
    stopped = command("sync", account.crm, "--json")

    assert stopped.code == 4
    assert not stopped.document["complete"]

    account.fail()
    assert len(account.unscreened()) == 100
    assert sync(account, command).total("written") == 100


@pytest.mark.parametrize("people", [60])
def test_an_edit_right_before_a_sync_is_written_in_that_sync(account: Account, command: Cli) -> None:
    sync(account, command)
    key = account.add(1, phone=PHONE)[0]
    sync(account, command)
    account.edit(key, phone=OTHER)

    result = command("sync", account.crm, "--json")

    assert result.code == 0
    assert account.rows()[key][account.companion("screened_value")] == OTHER


@pytest.mark.parametrize("people", [0])
def test_2600_edits_of_this_very_second_are_read_and_come_again(account: Account, command: Cli) -> None:
    account.sandbox.salesforce.page_size = 2_000
    keys = account.add(40, phone=PHONE) + account.add(2_560)
    sync(account, command)
    for key in keys[:40]:
        account.edit(key, phone=OTHER)
    account.stamp(keys)

    assert command("sync", account.crm, "--json", "--limit", "25").total("written") == 25
    assert command("sync", account.crm, "--json").total("written") == 15
    assert account.unscreened() == []
    assert sync(account, command).total("written") == 0


@pytest.mark.parametrize("people", [60])
def test_a_row_committed_late_is_found_behind_edits_that_were_read_ahead(account: Account, command: Cli) -> None:
    late, early = account.add(2, phone=PHONE)
    sync(account, command)
    if account.crm == "salesforce":
        transaction = account.sandbox.salesforce.open_transaction()
        transaction.update(*late, Phone=OTHER)
    account.pass_time(minutes=20)
    account.edit(early, phone=OTHER)
    sync(account, command)
    assert account.unscreened() == []

    if account.crm == "salesforce":
        transaction.commit()
    else:
        account.edit(late, phone=OTHER)
        account.stamp([late], seconds_ago=1_300)
    sync(account, command)

    assert account.rows()[late][account.companion("screened_value")] == OTHER
    assert account.unscreened() == []


@pytest.mark.parametrize("people", [60])
def test_an_opt_out_set_while_the_run_reads_is_seen(account: Account, command: Cli) -> None:
    person, colleague = account.add(2, phone=PHONE)
    sync(account, command)
    account.edit(person, mobile=OTHER)
    asked = 0

    def raise_the_flag(_name: str) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            account.edit(person, flag=True)

    account.asked.tell = raise_the_flag
    assert command("sync", account.crm, "--json").code == 0
    assert command("sync", account.crm, "--json").code == 0

    assert asked
    status = account.companion("status")
    assert [account.rows()[key][status] for key in (person, colleague)] == ["do_not_contact"] * 2
