"""What covers an org's numbers from elsewhere: flags of accounts on the same ledger, entries, and what has ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.ports.services import Clock
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.holdings import Holding, Raised
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import Store

A, B, C = (f"+1415555013{i}" for i in range(3))
OpenLedger = Callable[..., OptOutLedger]


def test_flags_of_the_accounts_on_a_ledger_cover_numbers_in_each_of_them(open_ledger: OpenLedger) -> None:
    open_ledger(org="1", on="us").record([Holding("people", "p1", (A,), flagged=True)])
    second = open_ledger(org="2", on="us")
    second.record([Holding("people", "q1", (A, B), flagged=False)])
    second.take_in_elsewhere()

    assert second.covered([A, B]) == {A}
    assert second.bearers([A, B]) == {A: None}
    assert second.unflagged_holders(all_runs=False) == {("people", "q1"): 1}
    assert open_ledger(org="3", on="them").covered([A, B]) == frozenset()


def test_what_has_reached_its_holders_comes_up_again_when_asked_for_or_covered_anew(
    open_ledger: OpenLedger, waiting: Callable[..., list[str]]
) -> None:
    first, second = open_ledger(org="1", on="us"), open_ledger(org="2", on="us")
    first.record([Holding("people", "p1", (A,), flagged=True)])
    second.record([Holding("people", "q1", (A,), flagged=False)])
    second.take_in_elsewhere()
    second.mark_propagated()
    reached = second.unflagged_holders(all_runs=False), second.unflagged_holders(all_runs=True)

    first.record([Holding("people", "p1", (A,), flagged=False)])
    second.take_in_elsewhere()
    freed = second.look_up([A], []), waiting("2")
    first.record([Holding("people", "p1", (A,), flagged=True)])
    second.take_in_elsewhere()

    assert reached == ({}, {("people", "q1"): 1})
    assert (freed[0].covered, freed[0].lifted, freed[1]) == (frozenset(), {A}, ["q1"])
    assert second.unflagged_holders(all_runs=False) == {("people", "q1"): 1}
    assert second.look_up([A], []).lifted == frozenset()


def test_a_number_seen_covered_on_the_way_is_freed_by_the_next_run_although_none_took_it_in(
    open_ledger: OpenLedger, waiting: Callable[..., list[str]]
) -> None:
    first, second = open_ledger(org="1", on="us"), open_ledger(org="2", on="us")
    first.record([Holding("people", "p1", (A,), flagged=True)])
    second.take_in_elsewhere()
    second.record([Holding("people", "q1", (A,), flagged=False)])
    seen = second.look_up([A], [])

    first.record([Holding("people", "p1", (A,), flagged=False)])
    third = open_ledger("third", org="2", on="us")
    third.take_in_elsewhere()

    assert {number: (block.source, block.origin) for number, block in seen.elsewhere.items()} == {
        A: (BlockSource.CRM, "memory:1")
    }
    assert waiting("2") == ["q1"]
    assert third.look_up([A], []).lifted == {A}


def test_entries_cover_for_as_long_as_they_hold(open_ledger: OpenLedger, store: Store, clock: Clock) -> None:
    new = NewEntry(A, BlockKind.LITIGATOR, Channel.ALL, BlockSource.PERSON, "sued", "ann", clock.now())
    with store.transaction() as connection:
        entries = Blocks(store.keyring, "us")
        forever = entries.add(connection, new)
        entries.add(connection, new._replace(number=B, expires=clock.now() - timedelta(days=1)))
    ledger = open_ledger(on="us")

    before = ledger.find_suppressed([A, B, C])
    with store.transaction() as connection:
        entries.lift(connection, [forever], "settled", "ann", clock.now())

    assert {number: block and block.kind for number, block in before.items()} == {A: BlockKind.LITIGATOR}
    assert ledger.find_suppressed([A, B, C]) == {}


def test_a_flag_is_not_stale_while_something_elsewhere_calls_for_it(open_ledger: OpenLedger) -> None:
    first, second = open_ledger(org="1", on="us"), open_ledger(org="2", on="us")
    first.record([Holding("people", "p1", (A,), flagged=True)])
    second.raise_flags([Raised("people", "q1", (A,))])
    second.take_in_elsewhere()
    asked_for = second.list_stale()

    first.record([Holding("people", "p1", (A,), flagged=False)])
    second.take_in_elsewhere()

    assert asked_for == []
    assert second.list_stale() == [("people", "q1")]
