"""Requests that a run enforces after the last day that the law gives are named; those in time are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.core.config.clocks import Clocks, read_clocks
from ringfence.core.errors import FileError
from ringfence.core.model.consent import ConsentFields
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.two_accounts import Accounts

LINE, E164 = "+1 415 555 0132", "+14155550132"
LAW = """
jurisdiction: US
time_zone: America/New_York
clocks:
  - {name: own-request, kind: request, what: Honoured., days: 10, from: 2020-01-01, source: law, confidence: official}
"""

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


def read_law() -> Clocks:
    return read_clocks([("us.yaml", LAW)])


@pytest.fixture
def accounts(store: Store, clock: SetClock) -> Accounts:
    made = Accounts(store, clock)
    made.open("force").put("people", "p1", phone=LINE)
    return made


def sync(accounts: Accounts) -> Summary:
    accounts.clock.advance(seconds=10)
    return run_sync(replace(accounts.job("force"), clocks=read_law), SyncOptions())


@pytest.mark.parametrize(("days", "late"), [(9, 0), (12, 1)])
def test_an_entry_that_waited_longer_than_the_law_allows_is_named_once(
    accounts: Accounts, clock: SetClock, days: int, late: int
) -> None:
    accounts.crms["force"].put("people", "p2", phone=LINE)
    entry = accounts.add(E164)
    clock.advance(seconds=days * 86400)

    found = sync(accounts).to_json()
    again = sync(accounts).to_json()

    expected = {"number": "+1415***0132", "since": entry.since.isoformat()}
    named = [{name: row[name] for name in expected} for row in found["overdue_requests"]]
    assert named == [expected] * late
    assert (found["overdue_requests_total"], again["overdue_requests_total"]) == (late, 0)
    assert accounts.said("force", "p1") == (True, "do_not_contact")


def test_a_withdrawal_counts_from_the_day_that_the_record_names(accounts: Accounts, clock: SetClock) -> None:
    crm = accounts.crms["force"]
    crm.shapes = {"people": replace(crm.shapes["people"], consent=ConsentFields("consent", ("Yes",), ("No",), "since"))}
    withdrawn = clock.now() - timedelta(days=30)
    crm.put("people", "p1", consent="No", since=withdrawn.date().isoformat())

    (row,) = sync(accounts).overdue_requests

    assert row.since.startswith(withdrawn.date().isoformat())
    assert row.deadline == (withdrawn + timedelta(days=9)).date().isoformat()


def test_clocks_that_cannot_be_read_keep_nobody_from_being_silenced(accounts: Accounts, clock: SetClock) -> None:
    accounts.add(E164)
    clock.advance(seconds=30 * 86400)

    def fail() -> Clocks:
        raise FileError("The clocks cannot be read.", "Check them.")

    summary = run_sync(replace(accounts.job("force"), clocks=fail), SyncOptions())

    assert (summary.complete, summary.overdue_requests_total) == (True, 0)
    assert accounts.said("force", "p1") == (True, "do_not_contact")
