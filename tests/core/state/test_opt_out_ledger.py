"""The opt-out ledger: which flag covers which number, who is reached by it, and what frees a number again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.pending import Pending, PendingReason
from ringfence.core.state.sql import BATCH
from ringfence.core.state.store import Store
from testkit.clock import SetClock

A, B, C = (f"+1415555013{i}" for i in range(3))


@pytest.fixture
def begin(store: Store, clock: SetClock) -> Callable[..., OptOutLedger]:
    """Give the ledger of an org as one run sees it."""

    def open_(run_id: str = "first", org: str = "1") -> OptOutLedger:
        org_id = register_org(store, Org("memory", org, "Org", production=False))
        return OptOutLedger(store, org_id, run_id, clock)

    return open_


@pytest.fixture
def waiting(store: Store) -> Callable[..., list[str]]:
    """Tell which records wait because of an opt-out, and forget them."""

    def take(org: str = "1") -> list[str]:
        pending = Pending(store, register_org(store, Org("memory", org, "Org", production=False)), "test")
        rows = pending.next(("", ""), 10_000, PendingReason.PERMISSION)
        pending.remove([(row.object, row.record_id) for row in rows])
        return [row.record_id for row in rows]

    return take


def person(id_: str, *numbers: str, flagged: bool | None = False, kind: str = "people") -> Holding:
    return Holding(kind, id_, numbers, flagged)


def test_a_flag_covers_every_number_of_its_record_and_no_other(begin: Any) -> None:
    begin().record([person("p1", A, B, flagged=True), person("p2", C)])

    assert begin("second").covered([A, B, C]) == {A, B}
    assert begin("second", org="2").covered([A, B, C]) == frozenset()


@pytest.mark.parametrize("flags_on_one", [1, 3, 40])
def test_covered_numbers_are_found_however_many_flags_there_are(begin: Any, flags_on_one: int) -> None:
    others = [f"+1415555{last:04}" for last in range(20)]
    ledger = begin()
    ledger.record([person(f"p{n:02}", A, flagged=True) for n in range(flags_on_one)])

    ledger.record([person("q1", B, flagged=True), person("q2", C, *others)])

    assert ledger.covered([A, B, C]) == ledger.covered([A, B, C, *others]) == {A, B}
    assert ledger.covered([C]) == ledger.covered([]) == frozenset()


def test_covered_numbers_are_found_when_there_are_fewer_flags_than_there_were(begin: Any) -> None:
    ledger = begin()
    ledger.record([person(f"p{n:02}", A, flagged=True) for n in range(40)])
    ledger.record([person("q1", B, flagged=True)])
    assert ledger.covered([A, B, C]) == {A, B}

    ledger.record([person(f"p{n:02}", A, flagged=False) for n in range(40)])

    assert ledger.covered([A, B, C]) == {B}


def test_a_number_stays_covered_when_its_record_gets_another_until_the_flag_is_seen_down(begin: Any) -> None:
    ledger = begin()
    ledger.record([person("p1", A, flagged=True)])

    ledger.record([person("p1", B, flagged=True)])

    assert ledger.covered([A, B]) == {A, B}

    ledger.record([person("p1", B, flagged=None)])
    assert ledger.covered([A, B]) == {A, B}

    ledger.record([person("p1", B, flagged=False)])
    assert ledger.covered([A, B]) == frozenset()


def test_each_covered_number_has_a_record_whose_flag_covers_it(begin: Any) -> None:
    ledger = begin()
    ledger.record([person("p1", A, flagged=True), person("p2", A, B, flagged=True), person("p3", A, C)])

    assert ledger.bearers([A, B, C]) == {A: ("people", "p1"), B: ("people", "p2")}


def test_lowering_one_of_two_flags_frees_nobody(begin: Any, waiting: Any) -> None:
    ledger = begin()
    ledger.record([person("p1", A, flagged=True), person("p2", A, flagged=True), person("p3", A)])

    ledger.record([person("p1", A, flagged=False)])

    assert ledger.covered([A]) == {A}
    assert waiting() == []


def test_when_the_last_flag_goes_every_holder_of_the_freed_number_is_looked_at_again(begin: Any, waiting: Any) -> None:
    ledger = begin()
    ledger.record([person("p1", A, B, flagged=True), person("p2", B, flagged=True)])
    ledger.record([person("p3", A), person("p4", A, C), person("p5", B), person("p6", C)])

    ledger.record([person("p1", A, B, flagged=False)])

    assert waiting() == ["p1", "p3", "p4"]

    ledger.record([person("p1", A, B, flagged=False)])
    assert waiting() == []


def test_records_that_hold_a_covered_number_are_named_until_their_own_flag_is_up(begin: Any) -> None:
    ledger = begin()
    ledger.record([person("p1", A, B, flagged=True), person("p2", A, B), person("p3", B, C), person("p4", C)])

    assert ledger.unflagged_holders(all_runs=False) == {("people", "p2"): 2, ("people", "p3"): 1}

    ledger.raise_flags([("people", "p3", (B, C))])
    assert ledger.unflagged_holders(all_runs=False) == {("people", "p2"): 2, ("people", "p4"): 1}

    ledger.record([person("p1", A, kind="firms")])
    assert ("firms", "p1") in ledger.unflagged_holders(all_runs=False)


def test_a_holder_of_more_covered_numbers_than_are_looked_up_at_once_counts_all_of_them(begin: Any) -> None:
    numbers = [f"+1415{last:07}" for last in range(BATCH + 3)]
    ledger = begin()
    ledger.record([person(f"p{n}", number, flagged=True) for n, number in enumerate(numbers)])

    ledger.record([person("all", *numbers), person("one", numbers[-1]), person("none", A)])

    assert ledger.unflagged_holders(all_runs=False) == {("people", "all"): len(numbers), ("people", "one"): 1}


def test_what_was_carried_to_everybody_comes_up_again_only_when_asked_for_or_flagged_anew(begin: Any) -> None:
    first = begin()
    first.record([person("p1", A, flagged=True), person("p2", A)])
    first.mark_propagated()
    second = begin("second")

    second.record([person("p1", A, flagged=True), person("p3", A)])

    assert second.unflagged_holders(all_runs=False) == {}
    assert second.unflagged_holders(all_runs=True) == {("people", "p2"): 1, ("people", "p3"): 1}

    second.record([person("p4", A, flagged=True)])
    assert second.unflagged_holders(all_runs=False) == {("people", "p2"): 1, ("people", "p3"): 1}


def test_a_flag_that_a_run_left_uncarried_is_left_to_the_next_one(begin: Any) -> None:
    begin("ended early").record([person("p1", A, flagged=True), person("p2", A)])
    assert begin("next").unflagged_holders(all_runs=False) == {("people", "p2"): 1}


def test_a_full_read_forgets_flags_of_records_that_are_gone(begin: Any, waiting: Any) -> None:
    begin().record([person("gone", A, flagged=True), person("gone", A, flagged=True, kind="firms")])
    begin().record([person("stays", B, flagged=True), person("holder", A, B)])
    second = begin("second")
    second.record([person("stays", B, flagged=True)])

    second.forget_unseen("people")

    assert second.covered([A, B]) == {A, B}
    assert waiting() == []

    second.forget_unseen("firms")
    assert second.covered([A, B]) == {B}
    assert "holder" in waiting()


def test_a_full_read_keeps_what_a_flag_that_is_still_up_covered_before(begin: Any, waiting: Any) -> None:
    begin().record([person("moved", A, flagged=True), person("emptied", B, flagged=True), person("holder", A, B)])
    second = begin("second")
    second.record([person("moved", C, flagged=True), person("emptied", flagged=True)])

    second.forget_unseen("people")

    assert second.covered([A, B, C]) == {A, B, C}
    assert waiting() == []


def test_a_full_read_forgets_what_records_that_are_gone_held(begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.core.state.holdings._CHUNK", 2)
    begin().record([*(person(f"p{i}", A) for i in range(5)), person("firm", A, kind="firms")])
    second = begin("second")
    second.begin_full_read(["people", "firms"])
    second.record([person("p1", A), person("p4", B), person("p3")])

    second.forget_unseen("people")

    assert second.count_holders([A, B]) == {A: 2, B: 1}

    third = begin("third")
    third.record([person("p4", B)])

    # A read that an earlier run began has not seen what that run saw.
    third.forget_unseen("people")

    assert third.count_records("people") == 2

    third.forget_holders([("people", "p4")])
    assert (third.holders(A, 1), third.holders(A, 3)) == ([("firms", "firm")], [("firms", "firm"), ("people", "p1")])
    assert third.holders(B, 3) == []


def test_holders_and_records_are_counted_once_each(begin: Any) -> None:
    ledger = begin()
    ledger.record([person("p1", A, B), person("p2", A), person("p1", A, kind="firms"), person("p3")])
    ledger.record([person("p2", A, C)])

    begin(org="2").record([person("p9", A)])

    assert ledger.count_holders([A, B, C, "+14155550139"]) == {A: 3, B: 1, C: 1, "+14155550139": 0}
    assert (ledger.count_records("people"), ledger.count_records("firms"), ledger.count_records("x")) == (2, 1, 0)


def test_thousands_of_records_are_taken_in_at_once(begin: Any, waiting: Any) -> None:
    numbers = [f"+1202555{i:04}" for i in range(1200)]
    ledger = begin()

    ledger.record([person(f"p{i}", number, flagged=True) for i, number in enumerate(numbers)])

    assert ledger.covered(numbers) == set(numbers)

    ledger.record([person(f"p{i}", number, flagged=False) for i, number in enumerate(numbers)])
    assert ledger.covered(numbers) == frozenset()
    assert len(waiting()) == 1200


def test_no_number_is_kept_in_the_clear(begin: Any, store: Store, tmp_path: Path) -> None:
    begin().record([person("p1", A, flagged=True), person("p2", A)])
    store.close()

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert b"p1" in kept
    assert A.encode() not in kept
    assert A[1:].encode() not in kept


_orgs = itertools.count()
steps = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2", "p3"]),
        st.sets(st.sampled_from([A, B, C])).map(sorted),
        st.sampled_from([True, False, None]),
    ),
    max_size=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=steps)
def test_whatever_is_seen_in_whatever_order_the_ledger_is_that_of_a_simple_model(
    steps: list[Any], begin: Any, waiting: Any
) -> None:
    org = f"model-{next(_orgs)}"
    ledger = begin(org=org)
    holds: dict[str, set[str]] = {}
    covers: dict[str, set[str]] = {}
    for id_, numbers, flagged in steps:
        before = set().union(*covers.values())
        holds[id_] = set(numbers)
        if flagged:
            covers.setdefault(id_, set()).update(numbers)
        elif flagged is False:
            covers.pop(id_, None)
        ledger.record([person(id_, *numbers, flagged=flagged)])
        covered = set().union(*covers.values())
        assert ledger.covered([A, B, C]) == covered
        freed = before - covered
        assert waiting(org) == sorted(id_ for id_, held in holds.items() if held & freed)
        # A flag is known by the numbers it covers: one on a record without any is none.
        reached = {("people", id_): len(held & covered) for id_, held in holds.items() if not covers.get(id_)}
        assert ledger.unflagged_holders(all_runs=True) == {key: count for key, count in reached.items() if count}


def test_what_a_record_holds_follows_every_change_and_a_second_look_writes_nothing(begin: Any, store: Store) -> None:
    ledger = begin()
    ledger.record([person("p1", A, B), person("p2", B)])

    assert ledger.count_holders([A, B, C]) == {A: 1, B: 2, C: 0}

    with store.transaction() as connection:
        before = connection.connection.driver_connection.total_changes
    ledger.record([person("p1", B, A), person("p2", B)])
    with store.transaction() as connection:
        assert connection.connection.driver_connection.total_changes == before

    ledger.record([person("p1", B, C), person("p2")])

    assert ledger.count_holders([A, B, C]) == {A: 0, B: 1, C: 1}


def test_a_record_merged_away_hands_its_opt_out_over_once(begin: Any) -> None:
    ledger = begin()
    ledger.record([person("gone", A, B, flagged=True), person("left", A)])

    ledger.hand_over([("people", "gone")])

    assert ledger.handed_over([("people", "gone")]) == set()

    ledger.raise_flags([("people", "left", (A,))])
    ledger.mark_propagated()

    assert ledger.handed_over([("people", "gone"), ("people", "left")]) == {("people", "gone")}

    later = begin("second")
    # What somebody has taken over can be lifted by them; what nobody has stays covered.
    later.record([person("left", A)])

    assert later.covered([A, B]) == {B}

    later.handed_over([("people", "gone")])
    later.forget_unseen("people")

    assert begin("third").handed_over([("people", "gone")]) == {("people", "gone")}


def test_a_record_merged_away_hands_its_opt_out_over_also_when_its_run_is_cut_off(begin: Any) -> None:
    first = begin()
    first.record([person("gone", A, flagged=True), person("left", A)])
    first.hand_over([("people", "gone")])

    later = begin("second")

    assert later.handed_over([("people", "gone")]) == set()

    later.raise_flags([("people", "left", (A,))])
    later.mark_propagated()

    assert later.handed_over([("people", "gone")]) == {("people", "gone")}

    later.record([person("left", A)])
    assert later.covered([A]) == frozenset()
