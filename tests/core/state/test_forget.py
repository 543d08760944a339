"""An account is forgotten whole, by any of its names, and never while a run is at it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ringfence.core.errors import BusyError, UsageError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.state import schema
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.cursors import register_org
from ringfence.core.state.forget import count_account, count_loss, find_account, forget_account, list_accounts
from ringfence.core.state.holdings import Holding
from ringfence.core.state.journal import Journal
from ringfence.core.state.learnt import keep_learnt
from ringfence.core.state.leases import Holder, take_lease
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import Sync

HERE, BOTH = "+14155550132", "+14155550133"


def flag(store: Store, org_id: int, clock: SetClock, *numbers: str) -> None:
    """Record a flagged record of the org that holds these numbers."""
    OptOutLedger(store, org_id, "r1", clock).record([Holding("people", "p1", numbers, flagged=True)])


def add_org(store: Store, org_id: str, name: str) -> int:
    return register_org(store, Org("memory", org_id, name, production=True))


@pytest.mark.parametrize("wanted", ["memory:7", "7", "acme", " ACME "])
def test_an_account_is_found_by_its_id_and_by_its_name(store: Store, wanted: str) -> None:
    add_org(store, "7", "Acme")
    add_org(store, "8", "Other")

    assert find_account(store, wanted).key == "memory:7"


def test_an_account_is_found_by_the_name_of_its_runs_while_no_other_has_had_it(store: Store, clock: SetClock) -> None:
    acme, other = add_org(store, "7", "Acme"), add_org(store, "8", "Other")
    for run_id, name, org_id in (("r1", "client-1", acme), ("r2", "client-1", acme), ("r3", "client-2", other)):
        Journal(store, run_id).begin(name, org_id, clock.now(), dry_run=False, options={})

    assert find_account(store, "Client-1").key == "memory:7"

    Journal(store, "r4").begin("client-1", other, clock.now(), dry_run=False, options={})
    with pytest.raises(UsageError, match="'client-1' is no account"):
        find_account(store, "client-1")


def test_an_unknown_or_ambiguous_name_is_refused_with_all_that_there_are(store: Store) -> None:
    add_org(store, "7", "Acme")
    add_org(store, "8", "Acme")

    with pytest.raises(UsageError, match=r"memory:7 \(Acme, production\); memory:8"):
        find_account(store, "Acme")


def test_what_an_account_takes_along_of_opt_outs_is_counted(store: Store, clock: SetClock) -> None:
    gone, stays = add_org(store, "7", "Acme"), add_org(store, "8", "Other")
    flag(store, gone, clock, HERE, BOTH)
    flag(store, stays, clock, BOTH)
    acme = find_account(store, "Acme")

    beside_one = count_loss(store, acme, clock.now())
    register_org(store, Org("memory", "8", "Other", production=True), "of its own")
    alone = count_loss(store, acme, clock.now())
    new = NewEntry(HERE, BlockKind.COMPLAINT, Channel.ALL, BlockSource.PERSON, "angry", "ann", clock.now())
    with store.transaction() as connection:
        Blocks(store.keyring, "").add(connection, new)

    assert (beside_one, alone) == ((2, 1), (2, 2))
    assert count_loss(store, acme, clock.now()) == (2, 1)


def test_nothing_of_the_account_is_left_and_all_of_the_others(
    store: Store, sync: Sync, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.core.state.deleting.ROWS", 2)
    other = add_org(store, "8", "Other")
    flag(store, other, clock, BOTH)
    sync()
    (account,) = [one for one in list_accounts(store) if one.org_id != other]
    flag(store, account.org_id, clock, HERE, BOTH)
    keep_learnt(store, account.org_id, {"a": "1", "b": "2", "c": "3"})
    cache = LookupCache(store, "r1")
    cache.record_answer(f"crm:{account.key}", Answer(HERE, AnswerKind.KNOWN, clock.now(), validity=Validity.VALID))
    cache.record_answer("provider", Answer(HERE, AnswerKind.KNOWN, clock.now(), validity=Validity.VALID))
    counted = count_account(store, account)

    gone = forget_account(store, account, "forgetting", clock)

    assert +gone == +counted
    assert {"runs", "holdings", "opt_out_flags", "lookup_answers", "learnt", "orgs"} <= (+gone).keys()
    with store.transaction() as connection:
        for table in (table for table in schema.metadata.tables.values() if "org_id" in table.c):
            left = connection.scalars(sa.select(table.c.org_id)).all()
            assert set(left) <= {other}, table.name
        assert connection.scalars(sa.select(schema.lookup_answers.c.realm)).all() == ["provider"]
    assert OptOutLedger(store, other, "r2", clock).covered([BOTH]) == {BOTH}


def test_a_run_that_is_at_it_keeps_an_account(store: Store, clock: SetClock) -> None:
    org_id = add_org(store, "7", "Acme")
    flag(store, org_id, clock, HERE)
    take_lease(store, org_id, "at work", clock.now(), Holder("another machine", 1, ""))

    with pytest.raises(BusyError):
        forget_account(store, find_account(store, "Acme"), "forgetting", clock)

    assert OptOutLedger(store, org_id, "r2", clock).covered([HERE]) == {HERE}
