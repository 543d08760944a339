"""Erasing a number from a store: what goes, what stays, and an erasure that is cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.errors import BusyError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import ERASED, Change, FieldChange, Outcome, RowResult
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.state import erasure, journal_values, schema
from ringfence.core.state.audit import AuditAction, AuditLog
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.cursors import register_org
from ringfence.core.state.destructions import Destruction
from ringfence.core.state.erasure import erase_number
from ringfence.core.state.flag_reviews import OpenReviews
from ringfence.core.state.holdings import Holding
from ringfence.core.state.journal import Journal, open_batches, read_changes
from ringfence.core.state.leases import Holder, take_lease
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.review_queue import forget_number
from ringfence.core.state.store import Store
from testkit.clock import SetClock

NUMBER, OTHER = "+14155550132", "+14155550133"
MASKED = "+1415***0132"


def written(number: str, record: str) -> Change:
    return Change.of("people", record, (FieldChange("e164", None, number), FieldChange("status", "", "valid")))


@pytest.fixture
def filled(store: Store, clock: SetClock) -> int:
    """Fill the store with the number and another one; return the account."""
    org_id = register_org(store, Org("memory", "1", "One", production=True))
    journal = Journal(store, "r1")
    journal.begin("memory", org_id, clock.now(), dry_run=False, options={})
    typed = Change.of("people", "p3", (FieldChange("phone", "415.555.0132 home", "415.555.0133"),))
    seq = journal.plan_batch([written(NUMBER, "p1"), written(OTHER, "p2"), typed, written(OTHER, "p4")], clock.now())
    refused = RowResult(Outcome.REFUSED, "RULE", "no (415) 555-0132 here")
    fine = RowResult(Outcome.WRITTEN)
    journal.settle_batch(seq, [fine, fine, fine, refused], clock.now())
    journal.end(clock.now(), RunOutcome.DONE, {"refused": f"of {MASKED}"}, f"met {MASKED}")

    cache = LookupCache(store, "r1")
    for number in (NUMBER, OTHER):
        cache.keep("twilio:a", [Answer(number, AnswerKind.KNOWN, clock.now(), Validity.VALID)])
        cache.keep_failures("other", [Answer(number, AnswerKind.FAILED, clock.now())])
        live = {"line": "active", "evidence": Evidence.LIVE_NETWORK}
        cache.record_answer("vonage:a", Answer(number, AnswerKind.KNOWN, clock.now(), **live))
        entry = NewEntry(
            number, BlockKind.COMPLAINT, Channel.ALL, BlockSource.PERSON, f"called {number}", "ann@pc", clock.now()
        )
        with store.transaction() as connection:
            Blocks(store.keyring, "").add(connection, entry)
    with store.transaction() as connection:
        cleared = [Holding("people", "p1", (NUMBER,), False)]
        OpenReviews(store.keyring, org_id).ask_about_cleared(
            connection, cleared, {("people", "p1"): {Channel.ALL}}, clock.now()
        )
    return org_id


def erase(store: Store, clock: SetClock, run_id: str = "erasing") -> dict[str, int]:
    destruction = Destruction(run_id, AuditAction.ERASE, "ann@pc", MASKED, "asked")
    return dict(erase_number(store, NUMBER, destruction, clock.now(), lambda _batches: None).rows)


def content(store: Store) -> Any:
    """Return what the store says of changes, entries, answers and runs."""
    with store.transaction() as connection:
        blocks = Blocks(store.keyring, "")
        said = [(each.number, each.reason) for each in blocks.list_active(connection, SetClock().now())]
        answers = [
            row.number_key == store.keyring.number_key(OTHER)
            for table in (schema.lookup_answers, schema.lookup_failures, schema.lookup_history)
            for row in connection.execute(sa.select(table))
        ]
        told = connection.execute(sa.select(schema.runs.c.summary, schema.runs.c.error)).all()
    changes = [(row.change.id, row.change.new, row.result and row.result.message) for row in read_changes(store, "r1")]
    return said, answers, list(map(tuple, told)), changes


def test_every_trace_of_the_number_goes_and_no_other(store: Store, clock: SetClock, filled: int) -> None:
    gone = erase(store, clock)

    said, answers, told, changes = content(store)
    answered = {"lookup_answers": 2, "lookup_failures": 1, "lookup_history": 1}
    assert gone == {"erased_numbers": 1, **answered, "blocks": 1, "batches": 1, "runs": 2, "review_items": 1}
    assert sorted(said) == [("", ""), (OTHER, f"called {OTHER}")]
    assert answers == [True] * 4
    assert told == [('{"refused": "of [erased]"}', "met [erased]")]
    assert changes == [
        ("p1", (ERASED, ERASED), ""),
        ("p2", (OTHER, "valid"), ""),
        ("p3", (ERASED,), ""),
        ("p4", (ERASED, ERASED), ""),
    ]
    with store.transaction() as connection:
        assert set(Blocks(store.keyring, "").find_blocks(connection, [NUMBER], clock.now())) == {NUMBER}
        assert forget_number(connection, store.keyring, NUMBER) == 0
        assert [act.action for act in AuditLog(store.keyring).latest(connection, None, 9)] == ["erase"]
    with store.transaction() as connection:
        assert AuditLog(store.keyring).verify(connection).broken_at is None


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("cut_off_in", ["_forget_lookups", "_forget_in_texts", "_forget_in_batch", "overwrite_deleted"])
def test_one_that_is_cut_off_and_repeated_ends_as_one_that_is_not(
    store: Store, clock: SetClock, filled: int, monkeypatch: pytest.MonkeyPatch, cut_off_in: str
) -> None:
    def die(*_words: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(journal_values if cut_off_in == "_forget_in_batch" else erasure, cut_off_in, die)
        with pytest.raises(KeyboardInterrupt):
            erase(store, clock, "cut off")
    erase(store, clock)

    said, answers, told, changes = content(store)
    assert NUMBER not in str(said)
    assert answers == [True] * 4
    assert MASKED not in str(told)
    assert [new for _, new, _ in changes if ERASED not in new] == [(OTHER, "valid")]


def test_what_comes_later_is_kept_without_values(store: Store, clock: SetClock, filled: int) -> None:
    erase(store, clock)

    journal = Journal(store, "r2")
    journal.begin("memory", filled, clock.now(), dry_run=False, options={})
    raw = Change.of("people", "p5", (FieldChange("screened_value", None, "(415) 555-0132"),))
    seq = journal.plan_batch([raw, written(OTHER, "p2")], clock.now())
    waiting = next(open_batches(store, filled))
    assert waiting.changes == [raw, written(OTHER, "p2")]  # until it is known what became of it
    journal.settle_batch(seq, [RowResult(Outcome.WRITTEN)] * 2, clock.now())
    LookupCache(store, "r2").keep("crm:memory:1", [Answer(NUMBER, AnswerKind.KNOWN, clock.now(), Validity.VALID)])
    again = NewEntry(NUMBER, BlockKind.COMPLAINT, Channel.ALL, BlockSource.PERSON, "again", "ann@pc", clock.now())
    with store.transaction() as connection:
        Blocks(store.keyring, "").add(connection, again)
        assert [each.reason for each in Blocks(store.keyring, "").history(connection, NUMBER)] == ["", ""]
        keys = connection.scalars(sa.select(schema.lookup_answers.c.number_key)).all()

    assert [row.change.new for row in read_changes(store, "r2")] == [(ERASED,), (OTHER, "valid")]
    assert {bytes(key) for key in keys} == {store.keyring.number_key(OTHER)}


def test_nothing_is_gone_while_a_run_is_at_work(store: Store, clock: SetClock, filled: int) -> None:
    take_lease(store, filled, "at work", clock.now(), Holder("another machine", 1, ""))
    before = content(store)

    with pytest.raises(BusyError):
        erase(store, clock)

    assert content(store) == before


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_the_bytes_of_what_is_gone_leave_the_files(store: Store, clock: SetClock, filled: int) -> None:
    said = (schema.lookup_answers.c.payload, schema.lookup_history.c.payload)
    with store.transaction() as connection:
        kept = [
            bytes(one) for column in (*said, schema.batches.c.payload) for one in connection.scalars(sa.select(column))
        ]
    file = Path(str(store.engine.url.database))

    erase(store, clock)

    there = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    with store.transaction() as connection:
        left = [bytes(one) for column in said for one in connection.scalars(sa.select(column))]
    assert len(left) == 3
    assert [payload in there for payload in kept] == [payload in left for payload in kept]
