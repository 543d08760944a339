"""Records read by their keys: each once, only mapped ones, and their opt-outs taken in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.state.cursors import register_org
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import Store
from ringfence.core.suppression.record_reader import RecordReader, read_views
from testkit.clock import SetClock

SHARED = "+14155550132"


@pytest.fixture
def ledger(store: Store, crm: MemoryCrm, clock: SetClock) -> Iterator[OptOutLedger]:
    return OptOutLedger(store, register_org(store, crm.identify()), "run", clock)


def test_each_record_comes_once_and_unmapped_or_deleted_ones_do_not(crm: MemoryCrm) -> None:
    crm.put("people", "a", phone=SHARED)
    crm.put("people", "b", phone=SHARED)

    keys = [("people", "b"), ("people", "a"), ("people", "b"), ("people", "gone"), ("unmapped", "a")]
    views = read_views(crm, crm.shapes, keys)

    assert [view.key for view in views] == [("people", "b"), ("people", "a")]


def test_whoever_reads_a_record_learns_of_its_opt_out(crm: MemoryCrm, ledger: OptOutLedger) -> None:
    crm.put("people", "silent", phone=SHARED, optout=True)
    reader = RecordReader(crm, crm.shapes, ledger)
    assert not ledger.covered({SHARED})

    reader.read([("people", "silent")])

    assert ledger.covered({SHARED}) == {SHARED}
