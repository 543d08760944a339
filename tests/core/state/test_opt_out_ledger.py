"""The opt-out ledger: which flag covers which number, who is reached by it, and what frees a number again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.core.model.blocks import EVERY_WAY
from ringfence.core.model.opt_outs import OptOuts
from ringfence.core.state.holdings import Holding, Raised
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.sql import BATCH

A, B, C = (f"+1415555013{i}" for i in range(3))


def person(id_: str, *numbers: str, flagged: bool | None = False, kind: str = "people") -> Holding:
    return Holding(kind, id_, numbers, flagged)


def test_a_flag_covers_every_number_of_its_record_and_no_other(open_ledger: Callable[..., OptOutLedger]) -> None:
    open_ledger().record([person("p1", A, B, flagged=True), person("p2", C)])

    assert open_ledger("second").covered([A, B, C]) == {A, B}
    assert open_ledger("second", org="2").covered([A, B, C]) == frozenset()


@pytest.mark.parametrize("flags_on_one", [1, 3, 40])
def test_covered_numbers_are_found_however_many_flags_there_are(
    open_ledger: Callable[..., OptOutLedger], flags_on_one: int
) -> None:
    others = [f"+1415555{last:04}" for last in range(20)]
    ledger = open_ledger()
    ledger.record([person(f"p{n:02}", A, flagged=True) for n in range(flags_on_one)])

    ledger.record([person("q1", B, flagged=True), person("q2", C, *others)])

    assert ledger.covered([A, B, C]) == ledger.covered([A, B, C, *others]) == {A, B}
    assert ledger.covered([C]) == ledger.covered([]) == frozenset()


def test_covered_numbers_are_found_when_there_are_fewer_flags_than_there_were(
    open_ledger: Callable[..., OptOutLedger],
) -> None:
    ledger = open_ledger()
    ledger.record([person(f"p{n:02}", A, flagged=True) for n in range(40)])
    ledger.record([person("q1", B, flagged=True)])
    assert ledger.covered([A, B, C]) == {A, B}

    ledger.record([person(f"p{n:02}", A, flagged=False) for n in range(40)])

    assert ledger.covered([A, B, C]) == {B}


def test_a_number_stays_covered_when_its_record_gets_another_until_the_flag_is_seen_down(
    open_ledger: Callable[..., OptOutLedger],
) -> None:
    ledger = open_ledger()
    ledger.record([person("p1", A, flagged=True)])

    ledger.record([person("p1", B, flagged=True)])

    assert ledger.covered([A, B]) == {A, B}

    ledger.record([person("p1", B, flagged=None)])
    assert ledger.covered([A, B]) == {A, B}

    ledger.record([person("p1", B, flagged=False)])
    assert ledger.covered([A, B]) == frozenset()


def test_each_covered_number_has_a_record_whose_flag_covers_it(open_ledger: Callable[..., OptOutLedger]) -> None:
    ledger = open_ledger()
    ledger.record([person("p1", A, flagged=True), person("p2", A, B, flagged=True), person("p3", A, C)])

    assert ledger.bearers([A, B, C]) == {A: ("people", "p1"), B: ("people", "p2")}


def test_lowering_one_of_two_flags_frees_nobody(
    open_ledger: Callable[..., OptOutLedger], waiting: Callable[..., list[str]]
) -> None:
    ledger = open_ledger()
    ledger.record([person("p1", A, flagged=True), person("p2", A, flagged=True), person("p3", A)])

    ledger.record([person("p1", A, flagged=False)])

    assert ledger.covered([A]) == {A}
    assert waiting() == []


def test_when_the_last_flag_goes_every_holder_of_the_freed_number_is_looked_at_again(
    open_ledger: Callable[..., OptOutLedger], waiting: Callable[..., list[str]]
) -> None:
    ledger = open_ledger()
    ledger.record([person("p1", A, B, flagged=True), person("p2", B, flagged=True)])
    ledger.record([person("p3", A), person("p4", A, C), person("p5", B), person("p6", C)])

    ledger.record([person("p1", A, B, flagged=False)])

    assert waiting() == ["p1", "p3", "p4"]

    ledger.record([person("p1", A, B, flagged=False)])
    assert waiting() == []


def test_records_that_hold_a_covered_number_are_named_until_their_own_flag_is_up(
    open_ledger: Callable[..., OptOutLedger],
) -> None:
    ledger = open_ledger()
    ledger.record([person("p1", A, B, flagged=True), person("p2", A, B), person("p3", B, C), person("p4", C)])

    assert ledger.unflagged_holders(all_runs=False) == {("people", "p2"): 2, ("people", "p3"): 1}

    ledger.raise_flags([Raised("people", "p3", (B, C))])
    assert ledger.unflagged_holders(all_runs=False) == {("people", "p2"): 2}
    assert ledger.covered([A, B, C]) == {A, B}

    ledger.record([person("p1", A, kind="firms")])
    assert ("firms", "p1") in ledger.unflagged_holders(all_runs=False)


def test_a_holder_of_more_covered_numbers_than_are_looked_up_at_once_counts_all_of_them(
    open_ledger: Callable[..., OptOutLedger],
) -> None:
    numbers = [f"+1415{last:07}" for last in range(BATCH + 3)]
    ledger = open_ledger()
    ledger.record([person(f"p{n}", number, flagged=True) for n, number in enumerate(numbers)])

    ledger.record([person("all", *numbers), person("one", numbers[-1]), person("none", A)])

    assert ledger.unflagged_holders(all_runs=False) == {("people", "all"): len(numbers), ("people", "one"): 1}


def test_what_was_carried_to_everybody_comes_up_again_only_when_asked_for_or_flagged_anew(
    open_ledger: Callable[..., OptOutLedger],
) -> None:
    first = open_ledger()
    first.record([person("p1", A, flagged=True), person("p2", A)])
    first.mark_propagated()
    second = open_ledger("second")

    second.record([person("p1", A, flagged=True), person("p3", A)])

    assert second.unflagged_holders(all_runs=False) == {}
    assert second.unflagged_holders(all_runs=True) == {("people", "p2"): 1, ("people", "p3"): 1}

    second.record([person("p4", A, flagged=True)])
    assert second.unflagged_holders(all_runs=False) == {("people", "p2"): 1, ("people", "p3"): 1}


def test_a_flag_that_a_run_left_uncarried_is_left_to_the_next_one(open_ledger: Callable[..., OptOutLedger]) -> None:
    open_ledger("ended early").record([person("p1", A, flagged=True), person("p2", A)])
    assert open_ledger("next").unflagged_holders(all_runs=False) == {("people", "p2"): 1}


def test_a_full_read_that_does_not_see_a_flagged_record_frees_nobody(
    open_ledger: Callable[..., OptOutLedger], waiting: Callable[..., list[str]]
) -> None:
    first = open_ledger()
    first.record([person("gone", A, flagged=True), person("holder", A, B)])
    first.raise_flags([Raised("people", "gone too", (B,))])
    second = open_ledger("second")

    second.forget_unseen("people")

    assert second.covered([A, B]) == {A}
    asked = OptOuts(asking={("people", "gone"): EVERY_WAY})
    assert second.look_up([], [("people", "gone"), ("people", "gone too")]) == asked
    assert waiting() == []


def test_a_full_read_keeps_what_a_flag_that_is_still_up_covered_before(
    open_ledger: Callable[..., OptOutLedger], waiting: Callable[..., list[str]]
) -> None:
    open_ledger().record([person("moved", A, flagged=True), person("emptied", B, flagged=True), person("holder", A, B)])
    second = open_ledger("second")
    second.record([person("moved", C, flagged=True), person("emptied", flagged=True)])

    second.forget_unseen("people")

    assert second.covered([A, B, C]) == {A, B, C}
    assert waiting() == []


def test_thousands_of_records_are_taken_in_at_once(
    open_ledger: Callable[..., OptOutLedger], waiting: Callable[..., list[str]]
) -> None:
    numbers = [f"+1202555{i:04}" for i in range(1200)]
    ledger = open_ledger()

    ledger.record([person(f"p{i}", number, flagged=True) for i, number in enumerate(numbers)])

    assert ledger.covered(numbers) == set(numbers)

    ledger.record([person(f"p{i}", number, flagged=False) for i, number in enumerate(numbers)])
    assert ledger.covered(numbers) == frozenset()
    assert len(waiting()) == 1200


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
    steps: list[Any], open_ledger: Callable[..., OptOutLedger], waiting: Callable[..., list[str]]
) -> None:
    org = f"model-{next(_orgs)}"
    ledger = open_ledger(org=org)
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
