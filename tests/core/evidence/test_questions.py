"""What people are asked about lines because of calls and messages, once, and until later ones answer it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ringfence.core.evidence.intake import EvidenceIntake
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.blocks import Channel
from ringfence.core.model.evidence_rules import EvidenceRules
from ringfence.core.model.policy import UnreachableRule
from ringfence.core.model.review_items import Resolution, ReviewItem, ReviewReason
from ringfence.core.model.signals import Outcome
from ringfence.core.model.signs import NumberSign, SourceKind
from ringfence.core.numbers import Validity
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.lookup_history import DoubtWatch
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store
from testkit.clock import SetClock

NUMBER, OTHER = "+14155550132", "+14155550133"
Hear = Callable[..., None]


@pytest.fixture
def hear(store: Store, clock: SetClock) -> Hear:
    """Take signs of the number in, so many days ago each."""

    def take_in(outcome: Outcome, *days: float, kind: SourceKind = SourceKind.CALL, number: str = NUMBER) -> None:
        signs = [NumberSign(clock.now() - timedelta(days=day), kind, "dialler", outcome) for day in days]
        with store.transaction() as connection:
            EvidenceIntake(store.keyring, "", EvidenceRules(), clock.now()).take_in(connection, {number: signs})

    return take_in


def waiting(store: Store) -> list[ReviewItem]:
    with store.transaction() as connection:
        return ReviewQueue(store.keyring, "").list_open(connection)


def look_up(store: Store, clock: SetClock, line: str, days: float = 0) -> None:
    answer = Answer(
        NUMBER,
        AnswerKind.KNOWN,
        clock.now() - timedelta(days=days),
        validity=Validity.VALID,
        line=line,
        evidence=Evidence.LIVE_NETWORK,
    )
    watch = DoubtWatch(store.keyring, "", UnreachableRule())
    LookupCache(store, f"run-{clock.now():%H%M%S}", watch=watch).record_answer("first:host:account", answer)


def test_a_suspected_number_is_asked_about_once(store: Store, clock: SetClock, hear: Hear) -> None:
    hear(Outcome.NO_ANSWER, 20, 15, 10, 1)
    hear(Outcome.NO_ANSWER, 0.5)
    hear(Outcome.OUT_OF_SERVICE, 0)
    hear(Outcome.NO_ANSWER, 20, number=OTHER)

    (item,) = waiting(store)

    assert (item.reason, item.number, item.since) == (ReviewReason.SUSPECT, NUMBER, clock.now() - timedelta(days=1))
    assert item.evidence.startswith("4 calls and messages in a row failed since ")


def test_somebody_who_is_reached_closes_it_and_what_did_is_on_record(store: Store, clock: SetClock, hear: Hear) -> None:
    hear(Outcome.OUT_OF_SERVICE, 3)
    (item,) = waiting(store)

    hear(Outcome.CONNECTED, 4)
    assert waiting(store) == [item]
    hear(Outcome.CONNECTED, 1)

    assert waiting(store) == []
    with store.transaction() as connection:
        (closed,) = ReviewQueue(store.keyring, "").find(connection, [item.id])
    assert (closed.resolution, closed.author, closed.resolved_at) == (Resolution.ANSWERED, "ringfence", clock.now())
    assert closed.note == f"dialler: connected at {clock.now() - timedelta(days=1):%Y-%m-%d %H:%M} UTC"


@pytest.mark.parametrize(("line", "left"), [("active", 0), ("disconnected", 0), ("unreachable", 1)])
def test_a_live_lookup_closes_it(store: Store, clock: SetClock, hear: Hear, line: str, left: int) -> None:
    hear(Outcome.OUT_OF_SERVICE, 3)

    look_up(store, clock, line, days=5)
    assert len(waiting(store)) == 1
    look_up(store, clock, line)

    assert len(waiting(store)) == left


def test_what_a_lookup_has_answered_before_is_not_asked(store: Store, clock: SetClock, hear: Hear) -> None:
    look_up(store, clock, "active", days=1)

    hear(Outcome.NO_ANSWER, 20, 15, 10, 2)

    assert waiting(store) == []


def test_what_was_decided_is_asked_again_only_by_what_comes_later(store: Store, clock: SetClock, hear: Hear) -> None:
    hear(Outcome.OUT_OF_SERVICE, 3)
    with store.transaction() as connection:
        queue = ReviewQueue(store.keyring, "")
        queue.resolve(connection, [waiting(store)[0].id], Resolution.DISMISS, "ann@desk", clock.now())

    hear(Outcome.NO_ANSWER, 30, 25, 24, 2)
    assert waiting(store) == []

    clock.advance(days=2)
    hear(Outcome.CONNECTED, 1.5)
    hear(Outcome.OUT_OF_SERVICE, 1)
    assert [item.reason for item in waiting(store)] == [ReviewReason.SUSPECT]


def test_contradictory_lookups_are_settled_by_a_later_one(store: Store, clock: SetClock, hear: Hear) -> None:
    look_up(store, clock, "active", days=3)
    look_up(store, clock, "disconnected", days=2.9)
    assert [item.reason for item in waiting(store)] == [ReviewReason.CONFLICT]

    look_up(store, clock, "disconnected", days=2.5)
    assert [item.reason for item in waiting(store)] == [ReviewReason.CONFLICT]
    look_up(store, clock, "disconnected")

    assert waiting(store) == []


def test_a_decision_closes_every_question_about_the_line_and_no_other(
    store: Store, clock: SetClock, hear: Hear
) -> None:
    with store.transaction() as connection:
        queue = ReviewQueue(store.keyring, "")
        for reason in (ReviewReason.SILENT, ReviewReason.CONFLICT, ReviewReason.NEAR_OPT_OUT):
            assert queue.ask_about_number(connection, NUMBER, reason, Channel.ALL, "why", clock.now())

    hear(Outcome.OUT_OF_SERVICE, 0, kind=SourceKind.PERSON)

    assert [item.reason for item in waiting(store)] == [ReviewReason.NEAR_OPT_OUT]
