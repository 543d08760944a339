"""How a run begins and ends among others: its lease, an interruption, an outage, a request that outlives it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import select

from ringfence.connectors.memory import MemoryCrm
from ringfence.connectors.memory.connector import MemoryFeed
from ringfence.core import concurrency as beside
from ringfence.core.errors import BusyError, UnreachableError
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.state import schema
from ringfence.core.state.cursors import Cursors, register_org
from ringfence.core.state.journal import open_batches
from ringfence.core.state.leases import EXPIRY, Lease
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store
from ringfence.core.writing.outbox import Outbox
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Sync

GOOD = "+1 415 555 0132"


def test_interrupted_run_is_told_to_the_history(crm: MemoryCrm, sync: Sync, store: Store) -> None:
    crm.put("people", "p1", phone=GOOD)

    def interrupt(_change: Any) -> None:
        raise KeyboardInterrupt

    crm.refuse = interrupt
    with pytest.raises(KeyboardInterrupt):
        sync()
    crm.refuse = lambda change: None
    assert list_runs(store)[0].outcome is RunOutcome.INTERRUPTED
    assert sync().total("written") == 1


def test_an_outage_while_an_earlier_run_is_settled_stops_the_next_one_in_good_order(
    crm: MemoryCrm, sync: Sync, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.put("people", "p1", phone=GOOD)
    with monkeypatch.context() as cut_off:
        cut_off.setattr(crm, "write", _down)
        assert "no answer" in sync().stopped

    with monkeypatch.context() as outage:
        outage.setattr(crm, "fetch", _down)
        with pytest.raises(UnreachableError):
            sync()

    assert list_runs(store)[0].outcome is RunOutcome.STOPPED
    assert sync().total("written") == 1


def _down(*_: Any) -> Any:
    raise UnreachableError("no answer")


def test_a_run_says_that_it_is_alive_while_it_takes_in_opt_outs_and_verdicts(
    crm: MemoryCrm,
    sync: Sync,
    store: Store,
    clock: SetClock,
    make_provider: MakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for i in range(12):
        crm.put("people", f"p{i:02}", phone=f"+1 415 555 01{i + 10}", optout=True)
    sync(lookups=[make_provider()])
    silent_for: list[timedelta] = []

    def slowly(pages: Iterator[Any]) -> Iterator[Any]:
        for page in pages:
            clock.advance(minutes=8)
            with store.transaction() as connection:
                silent_for.append(clock.now() - connection.scalar(select(schema.leases.c.renewed_at)))
            yield page

    for name in ("flagged", "screened"):
        read = getattr(MemoryFeed, name)
        monkeypatch.setattr(MemoryFeed, name, lambda feed, *words, read=read: slowly(read(feed, *words)))
    sync(full=True, lookups=[make_provider()])
    assert len(silent_for) == 8
    assert max(silent_for) < EXPIRY


def test_a_run_that_was_taken_over_from_leaves_cursors_and_rows_to_the_other(
    crm: MemoryCrm, sync: Sync, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.capabilities = replace(crm.capabilities, threads=True)
    crm.page_size = crm.capabilities.write_batch
    for i in range(8):
        crm.put("people", f"p{i}", phone=GOOD)
    sent, may_end, write, post, renew = threading.Event(), threading.Event(), crm.write, Outbox.post, Lease.renew

    def slow_write(changes: Any) -> Any:
        sent.set()
        assert may_end.wait(5)
        return write(changes)

    def post_and_see_it_sent(outbox: Outbox, changes: Any) -> Any:
        posted = post(outbox, changes)
        assert sent.wait(5)
        return posted

    def renew_in_vain(lease: Lease, now: Any) -> None:
        if sent.is_set():
            may_end.set()
            raise BusyError("Another run took over.")
        renew(lease, now)

    with monkeypatch.context() as taken_over:
        taken_over.setattr(crm, "write", slow_write)
        taken_over.setattr(Outbox, "post", post_and_see_it_sent)
        taken_over.setattr(Lease, "renew", renew_in_vain)
        stopped = sync()
    assert stopped.stopped == "Another run took over."
    assert crm.rows["people"]["p0"].get("rf_phone_status") == "valid"
    org_id = register_org(store, crm.identify())
    assert Cursors(store, org_id, crm.shapes).read() == {}
    assert [batch.run_id for batch in islice(open_batches(store, org_id), 1)] == [stopped.run_id]
    other = sync()
    assert (other.reconciled, other.total("skipped_recent"), other.total("written")) == (4, 4, 4)


def test_nobody_else_begins_while_a_request_of_a_run_that_is_over_is_under_way(
    crm: MemoryCrm, sync: Sync, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.capabilities = replace(crm.capabilities, threads=True)
    crm.put("people", "p0", phone=GOOD)
    sent, may_end, write, post = threading.Event(), threading.Event(), crm.write, Outbox.post

    def slow_write(changes: Any) -> Any:
        sent.set()
        assert may_end.wait(5)
        return write(changes)

    def post_and_break_off(outbox: Outbox, changes: Any) -> Any:
        post(outbox, changes)
        assert sent.wait(5)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken_off:
        broken_off.setattr(beside, "SHUTDOWN_TIMEOUT_S", 0.01)
        broken_off.setattr(crm, "write", slow_write)
        broken_off.setattr(Outbox, "post", post_and_break_off)
        with pytest.raises(KeyboardInterrupt):
            sync()
    with pytest.raises(BusyError):
        sync()
    may_end.set()
    for thread in threading.enumerate():
        if thread.name == "ringfence-lease":
            thread.join(5)
    other = sync()
    assert (other.reconciled, other.total("skipped_recent"), other.total("written")) == (1, 1, 0)
