"""What lookups may cost: caps of a run and of a day hold, whatever is reserved, given back or cut off."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.core.model.caps import NO_CAPS, CapKind, CapReached, Caps
from ringfence.core.state.spending import Purse, Reserved
from ringfence.core.state.store import Store
from testkit.clock import SetClock

PRICE = 0.017
CAPS = {
    CapKind.RUN_LOOKUPS: (Caps(max_lookups=3), 3),
    CapKind.RUN_COST: (Caps(max_cost_per_run=Decimal("0.051")), 3),
    CapKind.DAY_LOOKUPS: (Caps(max_per_day=3), 3),
    CapKind.DAY_COST: (Caps(max_cost_per_day=Decimal("0.0509")), 2),
}


def reserve(store: Store, purse: Purse, clock: SetClock, price: float = PRICE) -> Reserved | CapReached:
    with store.transaction() as connection:
        return purse.reserve(connection, price, clock.now())


def give_back(store: Store, purse: Purse, *reserved: Reserved | CapReached) -> None:
    with store.transaction() as connection:
        purse.give_back(connection, [each for each in reserved if isinstance(each, Reserved)])


@pytest.mark.parametrize("kind", CapKind)
def test_a_cap_is_reached_and_says_which_and_how_much(store: Store, clock: SetClock, kind: CapKind) -> None:
    caps, room = CAPS[kind]
    purse = Purse("r1", caps)
    taken = [reserve(store, purse, clock) for _ in range(room)]

    refused = reserve(store, purse, clock)

    assert all(isinstance(each, Reserved) for each in taken)
    used = room * 17_000 if kind.of_money else room
    assert refused == CapReached(kind, caps.most(kind) or 0, used, "USD", date(2026, 11, 2))


@pytest.mark.parametrize("kind", CapKind)
def test_what_was_not_billed_makes_room_again(store: Store, clock: SetClock, kind: CapKind) -> None:
    caps, room = CAPS[kind]
    purse = Purse("r1", caps)
    taken = [reserve(store, purse, clock) for _ in range(room)]

    give_back(store, purse, taken[0])

    assert isinstance(reserve(store, purse, clock), Reserved)
    assert isinstance(reserve(store, purse, clock), CapReached)


@pytest.mark.parametrize(("charged", "room"), [(1_000, 1), (17_000, 0), (40_000, 0)])
@pytest.mark.parametrize("kind", [CapKind.RUN_COST, CapKind.DAY_COST])
def test_what_was_charged_takes_the_place_of_the_price_and_counts_no_lookup(
    store: Store, clock: SetClock, kind: CapKind, charged: int, room: int
) -> None:
    caps = Caps(max_lookups=4, max_per_day=4, **{kind.value: Decimal("0.034")})
    purse = Purse("r1", caps)
    taken = [reserve(store, purse, clock) for _ in range(2)]

    with store.transaction() as connection:
        for each in taken:
            assert isinstance(each, Reserved)
            purse.settle(connection, each, charged)

    *more, refused = [reserve(store, purse, clock) for _ in range(room + 1)]
    assert all(isinstance(each, Reserved) for each in more)
    assert isinstance(refused, CapReached)
    assert (refused.kind, refused.used) == (kind, 2 * charged + room * 17_000)


@pytest.mark.parametrize("kind", CapKind)
def test_a_cap_of_the_day_holds_for_all_runs_and_one_of_a_run_for_its_parts(
    store: Store, clock: SetClock, kind: CapKind
) -> None:
    caps, room = CAPS[kind]
    for _ in range(room):
        reserve(store, Purse("r1", caps), clock)  # each part of the run has a purse of its own

    assert isinstance(reserve(store, Purse("r1", caps), clock), CapReached)
    assert isinstance(reserve(store, Purse("r2", caps), clock), CapReached) is kind.of_a_day


@pytest.mark.parametrize("kind", CapKind)
def test_a_new_day_has_room_of_its_own(store: Store, clock: SetClock, kind: CapKind) -> None:
    caps, room = CAPS[kind]
    purse = Purse("r1", caps)
    first, *_ = [reserve(store, purse, clock) for _ in range(room)]
    clock.advance(days=1)

    assert isinstance(reserve(store, purse, clock), Reserved) is kind.of_a_day

    give_back(store, purse, first)  # the room is yesterday's
    if kind.of_a_day:
        assert sum(isinstance(reserve(store, purse, clock), Reserved) for _ in range(room)) == room - 1


def test_a_day_counts_from_midnight_utc(store: Store, clock: SetClock) -> None:
    purse = Purse("r1", Caps(max_per_day=1))
    clock.time = clock.time.replace(hour=23, minute=59, second=59)
    reserve(store, purse, clock)
    assert isinstance(reserve(store, purse, clock), CapReached)

    clock.advance(seconds=1)

    assert isinstance(reserve(store, purse, clock), Reserved)


def test_what_is_spent_without_a_cap_counts_once_there_is_one(store: Store, clock: SetClock) -> None:
    for _ in range(5):
        reserve(store, Purse("r1", NO_CAPS), clock)

    assert isinstance(reserve(store, Purse("r2", Caps(max_per_day=5)), clock), CapReached)


def test_what_is_free_is_held_down_by_no_amount(store: Store, clock: SetClock) -> None:
    purse = Purse("r1", Caps(max_cost_per_run=Decimal(0), max_cost_per_day=Decimal(0)))

    assert isinstance(reserve(store, purse, clock, price=0.0), Reserved)
    assert isinstance(reserve(store, purse, clock), CapReached)


@pytest.mark.parametrize(
    ("caps", "left"),
    [
        (NO_CAPS, None),
        (Caps(max_lookups=7), (7, CapKind.RUN_LOOKUPS)),
        (Caps(max_lookups=7, max_per_day=8), (6, CapKind.DAY_LOOKUPS)),
        (Caps(max_cost_per_run=Decimal("0.1")), (5, CapKind.RUN_COST)),
        (Caps(max_per_day=1), (0, CapKind.DAY_LOOKUPS)),
        (Caps(max_cost_per_day=Decimal("0.1")), (3, CapKind.DAY_COST)),
    ],
)
def test_a_rehearsal_knows_what_a_run_may_buy_that_begins_now(
    store: Store, clock: SetClock, caps: Caps, left: tuple[int, CapKind] | None
) -> None:
    for _ in range(2):
        reserve(store, Purse("earlier", NO_CAPS), clock)

    with store.transaction() as connection:
        found = Purse("dry-run", caps).left(connection, PRICE, clock.now())

    assert (found and (found[0], found[1].kind)) == left


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(0, 2), st.sampled_from([0.0, 0.004, 0.017, 1.0])),
        st.tuples(st.just("give back"), st.integers(0, 20), st.just(0.0)),
        st.tuples(st.just("crash"), st.integers(0, 2), st.just(0.0)),
        st.tuples(st.just("pass"), st.sampled_from([1, 30]), st.just(0.0)),
    ),
    max_size=40,
)


@given(
    steps=STEPS,
    lookups=st.none() | st.integers(0, 6),
    per_day=st.none() | st.integers(0, 8),
    cost=st.none() | st.decimals(0, 2, places=3),
    day_cost=st.none() | st.decimals(0, 3, places=3),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_reserving_and_giving_back_exceeds_a_cap(
    store: Store,
    clock: SetClock,
    steps: list[Any],
    lookups: int | None,
    per_day: int | None,
    cost: Decimal | None,
    day_cost: Decimal | None,
) -> None:
    """Keep the sums of a simple model: each lookup that counts, with its run and its day."""
    caps = Caps(lookups, per_day, cost, day_cost)
    clock.advance(days=60)  # the store is the same for all examples, and what one of them spends is no other's
    runs = [f"{clock.time.timestamp()}-{each}" for each in range(3)]
    counted: list[tuple[str, Reserved, bool]] = []

    for step, number, price in steps:
        if step == "reserve":
            taken = reserve(store, Purse(runs[number], caps), clock, price)
            if isinstance(taken, Reserved):
                counted.append((runs[number], taken, False))
            else:
                assert _has_no_room(counted, taken, runs[number], round(price * 1_000_000))
        elif step == "give back" and counted:
            run, taken, lost = counted[number % len(counted)]
            if not lost:
                give_back(store, Purse(run, caps), taken)
                counted.remove((run, taken, lost))
        elif step == "crash":
            counted = [(run, taken, lost or run == runs[number]) for run, taken, lost in counted]
        elif step == "pass":
            clock.advance(hours=number)

        for kind in CapKind:
            most = caps.most(kind)
            assert most is None or all(used <= most for used in _used(counted, kind).values())


def _used(counted: list[tuple[str, Reserved, bool]], kind: CapKind) -> dict[Any, int]:
    used: dict[Any, int] = {}
    for run, taken, _ in counted:
        scope = taken.day if kind.of_a_day else run
        used[scope] = used.get(scope, 0) + (taken.price if kind.of_money else 1)
    return used


def _has_no_room(counted: list[tuple[str, Reserved, bool]], reached: CapReached, run: str, price: int) -> bool:
    used = _used(counted, reached.kind).get(reached.day if reached.kind.of_a_day else run, 0)
    return reached.used == used and used + (price if reached.kind.of_money else 1) > reached.most


def test_threads_and_runs_never_overspend_together(store: Store, clock: SetClock) -> None:
    caps, taken = Caps(max_lookups=12, max_per_day=20), []

    def buy(run: str) -> None:
        purse = Purse(run, caps)
        for number in range(12):
            reserved = reserve(store, purse, clock)
            if isinstance(reserved, Reserved) and number % 4 == 3:
                give_back(store, purse, reserved)
            else:
                taken.append((run, reserved))

    threads = [threading.Thread(target=buy, args=(run,)) for run in ("r1", "r1", "r2", "r2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    bought = Counter(run for run, each in taken if isinstance(each, Reserved))
    assert len(taken) >= 36
    assert max(bought.values()) <= 12
    assert 18 <= bought.total() <= 20
