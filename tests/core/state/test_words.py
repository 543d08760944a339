"""Texts of any length and with any character, from CRMs and machines: both engines keep them alike."""

from __future__ import annotations

from datetime import timedelta

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Change, FieldChange
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding
from ringfence.core.state.journal import Journal
from ringfence.core.state.learnt import keep_learnt, read_learnt
from ringfence.core.state.leases import Holder, take_lease
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.pending import Pending, PendingReason, PendingRow
from ringfence.core.state.run_history import find_run
from ringfence.core.state.store import Store
from testkit.clock import SetClock

NUMBER = "+14155550132"
LONG = "x" * 600
BAD, KEPT = "n\x00o \ud83d!", "no ?!"


def test_names_and_ids_may_be_longer_than_any_known_one(store: Store, clock: SetClock) -> None:
    now, org = clock.now(), Org("memory", LONG, "One", production=False)
    org_id = register_org(store, org)
    journal, pending = Journal(store, LONG), Pending(store, org_id, LONG)

    journal.begin(LONG, org_id, now, dry_run=False, options={})
    seq = journal.plan_batch([Change.of(LONG, LONG, (FieldChange("phone", None, NUMBER),))], now, held=True)
    journal.release([seq], LONG)
    lease = take_lease(store, org_id, LONG, now, Holder(LONG, 1, LONG))
    keep_learnt(store, org_id, {LONG: "many"})
    LookupCache(store, LONG).keep(LONG, [Answer(NUMBER, AnswerKind.KNOWN, now, validity=Validity.VALID)])
    OptOutLedger(store, org_id, LONG, clock).record([Holding(LONG, LONG, (NUMBER,), True)])
    pending.put([PendingRow(LONG, LONG, PendingReason.FAILED, LONG, LONG)], now)
    lease.release()

    assert register_org(store, org) == org_id
    assert read_learnt(store, org_id) == {LONG: "many"}
    found = LookupCache(store, LONG).find([NUMBER], [LONG], now - timedelta(days=1), now)
    assert [each.realm for each in found[NUMBER]] == [LONG]
    assert [(row.object, row.record_id, row.message) for row in pending.next(("", ""), 10)] == [(LONG, LONG, LONG)]


def test_words_that_no_store_can_hold_fail_nothing(store: Store, clock: SetClock) -> None:
    now = clock.now()
    org_id = register_org(store, Org("memory", "1", BAD, production=False, address=BAD))
    journal, pending = Journal(store, "r1"), Pending(store, org_id, "r1")

    journal.begin("memory", org_id, now, dry_run=False, options={"file": BAD})
    pending.put([PendingRow("people", "p1", PendingReason.FAILED, BAD, BAD)], now)
    journal.end(now, RunOutcome.FAILED, {"message": BAD}, BAD)

    assert [(row.code, row.message) for row in pending.next(("", ""), 10)] == [(KEPT, KEPT)]
    assert find_run(store, "r1").error == KEPT
