"""What becomes of flags that ringfence raised: which have outlived their opt-out, and what finding them takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from ringfence.core.state.holdings import Holding, Raised
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import Store

A, B = "+14155550130", "+14155550131"
STEPS_A_CALL = 100

Question = Callable[[OptOutLedger], object]


def test_a_derived_flag_is_stale_once_no_opt_out_calls_for_it_any_longer(
    open_ledger: Callable[..., OptOutLedger],
) -> None:
    ledger = open_ledger()
    ledger.record([Holding("people", "p1", (A,), flagged=True), Holding("firms", "p1", (B,), flagged=True)])
    ledger.raise_flags([Raised("people", "p3", (A,)), Raised("people", "p2", (B, A)), Raised("firms", "p2", (B,))])

    asked_for = ledger.list_stale()
    ledger.record([Holding("people", "p1", (A,), flagged=False)])
    first = ledger.list_stale()
    ledger.record([Holding("firms", "p1", (B,), flagged=False)])

    assert asked_for == []
    assert first == [("people", "p3")]
    assert ledger.list_stale() == [("firms", "p2"), ("people", "p2"), ("people", "p3")]
    assert open_ledger(org="2").list_stale() == []


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "ask",
    [
        OptOutLedger.list_stale,
        lambda ledger: ledger.forget_unseen("people"),
        lambda ledger: ledger.unflagged_holders(all_runs=True),
    ],
)
def test_what_is_asked_of_all_flags_takes_no_more_for_each_of_many(
    open_ledger: Callable[..., OptOutLedger], store: Store, ask: Question
) -> None:
    few, many = (raise_flags(open_ledger("first", org=str(flags)), flags) for flags in (250, 1000))

    steps = [count_steps(store, partial(ask, ledger)) for ledger in (few, many)]

    assert steps[1] < 6 * steps[0]


def raise_flags(ledger: OptOutLedger, flags: int) -> OptOutLedger:
    numbers = [f"+1415{n:07}" for n in range(flags)]
    ledger.record([Holding("people", f"p{n}", (number,), flagged=True) for n, number in enumerate(numbers)])
    ledger.raise_flags([Raised("people", f"q{n}", (number,)) for n, number in enumerate(numbers)])
    return ledger


def count_steps(store: Store, act: Callable[[], object]) -> int:
    """Return how many hundreds of SQLite's own steps something takes, by the store's one connection."""
    calls = 0

    def count() -> int:
        nonlocal calls
        calls += 1
        return 0

    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert driver is not None
    driver.set_progress_handler(count, STEPS_A_CALL)
    act()
    driver.set_progress_handler(None, 0)
    return calls
