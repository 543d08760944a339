"""What was erased since a back-up was made is erased from the back-up too, by the marks that are left of it."""

from __future__ import annotations

import pytest

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.values import ERASED, Change, FieldChange, Outcome, RowResult
from ringfence.core.numbers import Validity
from ringfence.core.state.erased import erased_since, mark_erased
from ringfence.core.state.erased_since import ErasuresDone, erase_again, read_erasures
from ringfence.core.state.journal import Journal, read_changes
from ringfence.core.state.keyring import EncryptionKeys
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.store import Store
from testkit.clock import SetClock

NUMBER, OTHER = "+14155550132", "+14155550133"
KEY = b"k" * 32

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


def fill(store: Store, clock: SetClock) -> None:
    journal = Journal(store, "r1")
    journal.begin("memory", None, clock.now(), dry_run=False, options={})
    changes = [Change.of("people", key, (FieldChange("phone", None, key),)) for key in (NUMBER, OTHER)]
    seq = journal.plan_batch(changes, clock.now())
    journal.settle_batch(seq, [RowResult(Outcome.REFUSED, "RULE", "no"), RowResult(Outcome.WRITTEN)], clock.now())
    answers = [Answer(number, AnswerKind.KNOWN, clock.now(), validity=Validity.VALID) for number in (NUMBER, OTHER)]
    LookupCache(store, "r1").keep("twilio:a", answers)


def marks_of(store: Store, clock: SetClock, number: str) -> ErasuresDone:
    """Return the mark of the number, and leave none in the store."""
    with store.transaction() as connection:
        mark_erased(connection, store.keyring, number, clock.now())
        done = read_erasures(connection, EncryptionKeys(KEY))
        connection.rollback()
    return done


def test_a_mark_takes_every_trace_of_its_number_and_of_no_other(store: Store, clock: SetClock) -> None:
    fill(store, clock)
    done = ErasuresDone(marks_of(store, clock, NUMBER).marks, (), KEY)

    strangers = erase_again(store, done, KEY)

    assert strangers == 0
    written = [row.change.new for row in read_changes(store, "r1")]
    assert written == [(ERASED,), (OTHER,)]
    with store.transaction() as connection:
        answers = connection.exec_driver_sql("SELECT number_key FROM lookup_answers").scalars().all()
        assert answers == [store.keyring.number_key(OTHER)]
        assert erased_since(connection, store.keyring, NUMBER) == clock.now()


def test_marks_of_another_state_are_counted_and_change_nothing(store: Store, clock: SetClock) -> None:
    fill(store, clock)
    done = ErasuresDone(marks_of(store, clock, NUMBER).marks, (), None)

    strangers = erase_again(store, done, KEY)

    assert strangers == 1
    assert [row.change.new for row in read_changes(store, "r1")] == [(NUMBER,), (OTHER,)]
