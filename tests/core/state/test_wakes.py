"""Records that were woken, and notices that were heard; what many targeted syncs leave of the history."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.earlier_syncs import RUNS_BACK, has_synced, last_complete_sync
from ringfence.core.state.journal import Journal
from ringfence.core.state.notices import KEPT, take_notices
from ringfence.core.state.store import Store
from ringfence.core.state.wakes import Wakes, list_accounts_with_wakes, put_wakes
from testkit.clock import SetClock
from testkit.jobs import wait_until

START = ("", "")


def wake(store: Store, clock: SetClock, *ids: str, account: str = "one") -> None:
    with store.transaction() as connection:
        put_wakes(connection, account, [("people", each) for each in ids], clock.now())


def test_a_record_waits_once_and_by_its_account(store: Store, clock: SetClock) -> None:
    wake(store, clock, "2", "1", "1")
    wake(store, clock, "1", "3")
    wake(store, clock, "4", account="other")

    wakes = Wakes(store, "one")
    assert [each.record_id for each in wakes.next(START, 2)] == ["1", "2"]
    assert [each.record_id for each in wakes.next(("people", "2"), 2)] == ["3"]
    assert (wakes.count(), Wakes(store, "other").count()) == (3, 1)


def test_one_that_is_told_of_again_while_it_is_read_goes_on_waiting(store: Store, clock: SetClock) -> None:
    wake(store, clock, "1", "2")
    wakes = Wakes(store, "one")
    read = wakes.next(START, 10)

    wake(store, clock, "2")
    wakes.settle(read)

    assert [each.record_id for each in wakes.next(START, 10)] == ["2"]
    wakes.settle(wakes.next(START, 10))
    assert wakes.count() == 0


def test_accounts_are_named_whose_records_have_waited(store: Store, clock: SetClock) -> None:
    wake(store, clock, "1", "2")
    wake(store, clock, "3", account="other")
    clock.advance(seconds=60)
    wake(store, clock, "4", account="young")
    wake(store, clock, "1")

    with store.transaction() as connection:
        before = clock.now() - timedelta(seconds=60)
        assert sorted(list_accounts_with_wakes(connection, ["one", "young", "none", "one"], before)) == ["one"]
        assert list_accounts_with_wakes(connection, [], before) == []


def test_who_reads_waits_for_what_is_just_being_brought(store: Store, clock: SetClock) -> None:
    if store.engine.dialect.name != "postgresql":
        pytest.skip("a file has one writer at a time")
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    counted: list[int] = []
    reader = threading.Thread(target=lambda: counted.append(Wakes(store, "one").count()))

    with store.transaction() as connection:
        put_wakes(connection, "one", [("people", "1")], clock.now())
        reader.start()
        wait_until(lambda: connection.exec_driver_sql(waits).scalar_one() == 1)
    reader.join(10)

    assert counted == [1]


def test_a_notice_is_new_once(store: Store, clock: SetClock) -> None:
    with store.transaction() as connection:
        assert take_notices(connection, "one", [("a", "1"), ("a", "2"), ("a", "1")], clock.now()) == [True, True, False]
        assert take_notices(connection, "one", [("a", "12"), ("a1", "2"), ("a", "2")], clock.now()) == [
            True,
            True,
            False,
        ]
        assert take_notices(connection, "other", [("a", "1")], clock.now()) == [True]
        assert take_notices(connection, "one", [], clock.now()) == []


def test_notices_are_forgotten_in_the_end(store: Store, clock: SetClock) -> None:
    with store.transaction() as connection:
        take_notices(connection, "one", [("a", "1")], clock.now())
        assert take_notices(connection, "one", [("a", "1")], clock.now() + KEPT) == [False]
        assert take_notices(connection, "one", [("a", "1")], clock.now() + KEPT + timedelta(seconds=1)) == [True]


def test_the_latest_sync_is_found_behind_any_number_of_targeted_ones(store: Store, clock: SetClock) -> None:
    org_id = register_org(store, Org("memory", "1", "Org", production=False))

    def keep(run_id: str, options: dict[str, object]) -> None:
        journal = Journal(store, run_id)
        journal.begin("memory", org_id, clock.now(), dry_run=False, options=options)
        journal.end(clock.now(), RunOutcome.DONE, {"complete": True}, None)
        clock.advance(seconds=1)

    for number in range(3):
        keep(f"w{number}", {"woken": True, "providers": []})
    assert not has_synced(store, org_id)

    synced_at = clock.now()
    keep("sync", {"full": True, "rescreen": False})
    for number in range(3, RUNS_BACK + 5):
        keep(f"w{number}", {"woken": True, "providers": []})

    assert last_complete_sync(store, org_id) == synced_at
