"""What waits to be looked at again: why, in which order, for which run, and what takes it off the list."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.pending import Pending, PendingReason, PendingRow
from ringfence.core.state.store import Store
from testkit.clock import SetClock

START = ("", "")
FAILED = PendingReason.FAILED
PERMISSION = PendingReason.PERMISSION


@pytest.fixture
def begin(store: Store) -> Any:
    """Give the waiting records of an org as one run sees them."""

    def open_(run_id: str, org: str = "1") -> Pending:
        return Pending(store, register_org(store, Org("memory", org, "Org", production=False)), run_id)

    return open_


def keys(rows: list[PendingRow]) -> list[tuple[str, str]]:
    return [(row.object, row.record_id) for row in rows]


def test_a_waiting_row_keeps_the_words_of_the_crm(begin: Any, clock: SetClock) -> None:
    row = PendingRow("people", "p1", FAILED, "RULE", "no changes on Mondays")
    begin("first").put([row], clock.now())

    assert begin("second").next(START, 10) == [row]


def test_a_later_reason_takes_the_place_of_an_earlier_one(begin: Any, clock: SetClock) -> None:
    begin("first").put([PendingRow("people", "p1", FAILED, "RULE", "no")], clock.now())
    later = PendingRow("people", "p1", PendingReason.CONFLICT, "CHANGED", "edited")

    begin("second").put([later], clock.now())

    assert begin("third").next(START, 10) == [later]
    assert begin("third").count() == {"conflict": 1}


def test_rows_come_in_key_order_and_each_once_however_small_the_pages(begin: Any, clock: SetClock) -> None:
    pending = begin("first")
    put = [("people", f"p{i}") for i in (10, 2, 33)] + [("firms", "z"), ("people", "P1")]
    pending.put([PendingRow(name, id_, FAILED) for name, id_ in put], clock.now())
    seen, after = [], START

    while page := keys(pending.next(after, 2)):
        seen += page
        after = page[-1]
        pending.remove([page[0]])

    assert seen == sorted(put)


def test_a_run_can_leave_out_what_it_added_itself_and_pick_one_reason(begin: Any, clock: SetClock) -> None:
    begin("first").put([PendingRow("people", "old", FAILED)], clock.now())
    now = begin("second")
    now.put([PendingRow("people", "new", FAILED)], clock.now())

    now.enqueue([("people", "reached")], clock.now())

    assert keys(now.next(START, 10, before_run="second")) == [("people", "old")]
    assert keys(now.next(START, 10, PERMISSION)) == [("people", "reached")]
    assert now.count() == {"failed": 2, "permission": 1}


def test_orgs_do_not_see_each_others_rows(begin: Any, clock: SetClock) -> None:
    begin("first", "1").put([PendingRow("people", "p1", FAILED)], clock.now())
    other = begin("first", "2")
    other.put([PendingRow("people", "p1", PendingReason.DEFERRED)], clock.now())
    other.remove([("people", "p1")])

    other.remove_settled("people", ["p1"], set())

    assert (begin("x", "1").count(), begin("x", "2").count()) == ({"failed": 1}, {})


def test_what_is_not_due_any_more_is_forgotten_unless_an_opt_out_reached_it_since(begin: Any, clock: SetClock) -> None:
    pending = begin("first")
    pending.put([PendingRow("people", id_, FAILED) for id_ in ("settled", "due", "reached", "other")], clock.now())
    pending.put([PendingRow("firms", "settled", FAILED)], clock.now())
    pending.enqueue([("people", "reached")], clock.now())

    pending.remove_settled("people", ["settled", "due", "reached"], {"due"})

    assert keys(pending.next(START, 10)) == [
        ("firms", "settled"),
        ("people", "due"),
        ("people", "other"),
        ("people", "reached"),
    ]


def test_any_number_of_rows_is_put_and_removed(begin: Any, clock: SetClock) -> None:
    pending = begin("first")
    many = [("people", f"p{i:05}") for i in range(1300)]

    pending.enqueue(many, clock.now())

    assert pending.count() == {"permission": 1300}

    pending.remove(many[1:])
    assert keys(pending.next(START, 10)) == many[:1]

    pending.remove([])
    pending.put([], clock.now())


def test_a_long_code_is_cut_and_a_long_message_is_not(begin: Any, clock: SetClock) -> None:
    pending = begin("first")
    pending.put([PendingRow("people", "p1", FAILED, "C" * 200, "m" * 5000)], clock.now())

    (row,) = pending.next(START, 1)

    assert (len(row.code), len(row.message)) == (80, 5000)


def test_a_run_is_told_what_it_has_left_itself(begin: Any, clock: SetClock) -> None:
    begin("first").put([PendingRow("people", "p1", FAILED)], clock.now())
    second = begin("second")

    asked = [("people", f"p{n}") for n in range(1, 5)]

    assert second.left(asked) == {}

    second.put([PendingRow("people", "p2", FAILED), PendingRow("firms", "p3", FAILED)], clock.now())
    second.put([PendingRow("people", "p3", PendingReason.DEFERRED)], clock.now())

    second.enqueue([("people", "p4")], clock.now())

    assert second.left(asked) == {("people", "p2"): FAILED, ("people", "p3"): PendingReason.DEFERRED}
    assert begin("second", org="2").left(asked) == {}
