"""Records that were merged away: their opt-outs are handed over, once."""

from __future__ import annotations

from collections.abc import Callable

from ringfence.core.state.holdings import Holding, Raised
from ringfence.core.state.opt_out_ledger import OptOutLedger

A, B, C = (f"+1415555013{i}" for i in range(3))


def person(id_: str, *numbers: str, flagged: bool | None = False, kind: str = "people") -> Holding:
    return Holding(kind, id_, numbers, flagged)


def test_a_record_merged_away_hands_its_opt_out_over_once(open_ledger: Callable[..., OptOutLedger]) -> None:
    ledger = open_ledger()
    ledger.record([person("gone", A, B, flagged=True), person("left", A)])

    ledger.hand_over([("people", "gone")])

    assert ledger.handed_over([("people", "gone")]) == set()

    ledger.raise_flags([Raised("people", "left", (A,))])
    ledger.mark_propagated()

    assert ledger.handed_over([("people", "gone"), ("people", "left")]) == {("people", "gone")}

    later = open_ledger("second")
    # What somebody has taken over can be lifted by them; what nobody has stays covered.
    later.record([person("left", A)])

    assert later.covered([A, B]) == {B}

    later.handed_over([("people", "gone")])
    later.forget_unseen("people")

    assert open_ledger("third").handed_over([("people", "gone")]) == {("people", "gone")}


def test_a_record_merged_away_hands_its_opt_out_over_also_when_its_run_is_cut_off(
    open_ledger: Callable[..., OptOutLedger],
) -> None:
    first = open_ledger()
    first.record([person("gone", A, flagged=True), person("left", A)])
    first.hand_over([("people", "gone")])

    later = open_ledger("second")

    assert later.handed_over([("people", "gone")]) == set()

    later.raise_flags([Raised("people", "left", (A,))])
    later.mark_propagated()

    assert later.handed_over([("people", "gone")]) == {("people", "gone")}

    later.record([person("left", A)])
    assert later.covered([A]) == frozenset()
