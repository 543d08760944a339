"""What a connector finds out about an account is there again in its next run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.values import Change, RowResult
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.learnt import keep_learnt, read_learnt
from ringfence.core.state.store import Store
from testkit.memory_runs import Sync

GOOD = "+1 415 555 0132"


@pytest.fixture
def learning(crm: MemoryCrm, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let the CRM find out a size with each write, and return what it knows."""
    learnt: dict[str, str] = {}
    write = crm.write

    def learn(changes: Sequence[Change]) -> list[RowResult]:
        learnt["size"] = str(int(learnt.get("size", "0")) + len(changes))
        return list(write(changes))

    monkeypatch.setattr(crm, "write", learn)
    monkeypatch.setattr(crm, "learnt", learnt, raising=False)
    return learnt


def test_the_next_run_knows_what_the_last_one_learnt(
    crm: MemoryCrm, sync: Sync, store: Store, learning: dict[str, str]
) -> None:
    crm.put("people", "p1", phone=GOOD)
    sync()
    learning.clear()

    crm.put("people", "p2", phone=GOOD)
    sync()

    assert learning == {"size": "2"}
    assert read_learnt(store, register_org(store, crm.identify())) == {"size": "2"}


def test_what_a_connector_gives_up_is_forgotten(
    crm: MemoryCrm, sync: Sync, store: Store, learning: dict[str, str]
) -> None:
    crm.put("people", "p1", phone=GOOD)
    sync()
    learning.pop("size")
    keep_learnt(store, register_org(store, crm.identify()), learning)

    sync()

    assert learning == {}


def test_a_dry_run_learns_nothing_that_lasts(
    crm: MemoryCrm, sync: Sync, store: Store, learning: dict[str, str]
) -> None:
    crm.put("people", "p1", phone=GOOD)

    sync(dry_run=True)

    assert read_learnt(store, register_org(store, crm.identify())) == {}


def test_accounts_are_kept_apart(store: Store) -> None:
    one, two = (register_org(store, Org("memory", str(n), "x", production=False)) for n in (1, 2))

    keep_learnt(store, one, {"a": "1", "b": "2"})
    keep_learnt(store, two, {"a": "3"})
    keep_learnt(store, one, {"b": "4"})

    assert (read_learnt(store, one), read_learnt(store, two)) == ({"b": "4"}, {"a": "3"})
