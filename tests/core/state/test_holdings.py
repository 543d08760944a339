"""Who holds which number: what is recorded, counted and forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.core.state.holdings import Holding
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import Store
from testkit.stores import all_that_is_kept, what_is_written

A, B, C = (f"+1415555013{i}" for i in range(3))


def person(id_: str, *numbers: str, flagged: bool | None = False, kind: str = "people") -> Holding:
    return Holding(kind, id_, numbers, flagged)


def test_a_full_read_forgets_what_records_that_are_gone_held(
    open_ledger: Callable[..., OptOutLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.core.state.holdings._CHUNK", 2)
    open_ledger().record([*(person(f"p{i}", A) for i in range(5)), person("firm", A, kind="firms")])
    second = open_ledger("second")
    second.begin_full_read(["people", "firms"])
    second.record([person("p1", A), person("p4", B), person("p3")])

    second.forget_unseen("people")

    assert second.count_holders([A, B]) == {A: 2, B: 1}

    third = open_ledger("third")
    third.record([person("p4", B)])

    # A read that an earlier run began has not seen what that run saw.
    third.forget_unseen("people")

    assert third.count_records("people") == 2

    third.forget_holders([("people", "p4")])
    assert (third.holders(A, 1), third.holders(A, 3)) == ([("firms", "firm")], [("firms", "firm"), ("people", "p1")])
    assert third.holders(B, 3) == []


def test_holders_and_records_are_counted_once_each(open_ledger: Callable[..., OptOutLedger]) -> None:
    ledger = open_ledger()
    ledger.record([person("p1", A, B), person("p2", A), person("p1", A, kind="firms"), person("p3")])
    ledger.record([person("p2", A, C)])

    open_ledger(org="2").record([person("p9", A)])

    assert ledger.count_holders([A, B, C, "+14155550139"]) == {A: 3, B: 1, C: 1, "+14155550139": 0}
    assert (ledger.count_records("people"), ledger.count_records("firms"), ledger.count_records("x")) == (2, 1, 0)


def test_no_number_is_kept_in_the_clear(open_ledger: Callable[..., OptOutLedger], store: Store, tmp_path: Path) -> None:
    open_ledger().record([person("p1", A, flagged=True), person("p2", A)])

    kept = all_that_is_kept(store, tmp_path)

    assert b"p1" in kept
    assert A.encode() not in kept
    assert A[1:].encode() not in kept


def test_what_a_record_holds_follows_every_change_and_a_second_look_writes_nothing(
    open_ledger: Callable[..., OptOutLedger], store: Store
) -> None:
    ledger = open_ledger()
    ledger.record([person("p1", A, B), person("p2", B)])

    assert ledger.count_holders([A, B, C]) == {A: 1, B: 2, C: 0}

    with what_is_written(store) as written:
        ledger.record([person("p1", B, A), person("p2", B)])
    assert written == []

    ledger.record([person("p1", B, C), person("p2")])

    assert ledger.count_holders([A, B, C]) == {A: 0, B: 1, C: 1}
