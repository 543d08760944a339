"""At its end a sync asks people about numbers of which nothing was heard for long, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.evidence.intake import EvidenceIntake
from ringfence.core.evidence.signs import sign_of
from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.evidence_rules import EvidenceRules, SilentRule
from ringfence.core.model.review_items import Resolution, ReviewItem, ReviewReason
from ringfence.core.model.signals import Outcome, Signal
from ringfence.core.state.evidence import EvidenceStore
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Sync

NUMBER, OTHER, NOBODYS = "+14155550132", "+14155550133", "+14155550134"
LIVE = {"kind": AnswerKind.KNOWN, "line": "active", "evidence": Evidence.LIVE_NETWORK}
Hear = Callable[..., None]


@pytest.fixture
def hear(store: Store, clock: SetClock) -> Hear:
    """Take in how calls ended, so many days ago each."""

    def take_in(outcome: Outcome, *days: float, number: str = NUMBER) -> None:
        for day in days:
            signal = Signal("dialler", f"{number}{day}", number, clock.now() - timedelta(days=day), outcome)
            with store.transaction() as connection:
                assert EvidenceStore(store.keyring, "").add(connection, number, signal, clock.now())
                intake = EvidenceIntake(store.keyring, "", EvidenceRules(), clock.now())
                intake.take_in(connection, {number: [sign for sign in [sign_of(signal)] if sign]})

    return take_in


@pytest.fixture
def people(crm: MemoryCrm) -> MemoryCrm:
    for id_, number in (("p1", NUMBER), ("p2", NUMBER), ("p3", OTHER)):
        crm.put("people", id_, phone=number)
    return crm


def waiting(store: Store) -> list[ReviewItem]:
    with store.transaction() as connection:
        return ReviewQueue(store.keyring, "").list_open(connection)


def test_a_number_of_which_nothing_was_heard_is_asked_about_once_and_stays_as_it_is(
    people: MemoryCrm, sync: Sync, hear: Hear, store: Store, clock: SetClock
) -> None:
    last = clock.now() - timedelta(days=700)
    hear(Outcome.CONNECTED, 900, 700)
    hear(Outcome.CONNECTED, 700, number=NOBODYS)

    first, second = sync(), sync()

    (item,) = waiting(store)
    assert (item.reason, item.number) == (ReviewReason.SILENT, NUMBER)
    assert item.since == last
    assert item.evidence == f"nothing was heard since {item.since:%Y-%m-%d} (dialler: connected)"
    assert (first.silent_asked, second.silent_asked) == (1, 0)
    assert first.to_json()["silent_asked"] == 1
    assert people.rows["people"]["p1"]["rf_phone_status"] == "valid"


@pytest.mark.parametrize(
    ("heard", "asked"),
    [
        ([], 0),
        ([(Outcome.CONNECTED, 364)], 0),
        ([(Outcome.CONNECTED, 366)], 1),
        ([(Outcome.CONNECTED, 900), (Outcome.NO_ANSWER, 600)], 0),
        ([(Outcome.NO_ANSWER, 900), (Outcome.VOICEMAIL, 600)], 1),
        ([(Outcome.CONNECTED, 900), (Outcome.BLOCKED, 600)], 1),
        ([(Outcome.CONNECTED, 900), (Outcome.BLOCKED, 30)], 0),
    ],
)
def test_only_silence_without_a_bad_sign_counts(
    people: MemoryCrm, sync: Sync, hear: Hear, store: Store, heard: list[tuple[Outcome, float]], asked: int
) -> None:
    del people
    for outcome, days in heard:
        hear(outcome, days)

    assert sync().silent_asked == asked
    assert len(waiting(store)) == asked


def test_a_live_lookup_is_something_that_was_heard(
    people: MemoryCrm, sync: Sync, hear: Hear, store: Store, make_provider: MakeProvider, clock: SetClock
) -> None:
    del people
    hear(Outcome.CONNECTED, 700)
    sync()
    assert len(waiting(store)) == 1

    clock.advance(days=40)
    sync(lookups=[make_provider(says={NUMBER: LIVE})])

    assert waiting(store) == []
    assert sync().silent_asked == 0


def test_what_was_dismissed_is_asked_again_after_another_silence_alone(
    people: MemoryCrm, sync: Sync, hear: Hear, store: Store, clock: SetClock
) -> None:
    del people
    hear(Outcome.CONNECTED, 700)
    sync()
    with store.transaction() as connection:
        queue = ReviewQueue(store.keyring, "")
        queue.resolve(connection, [waiting(store)[0].id], Resolution.DISMISS, "ann@desk", clock.now())

    clock.advance(days=400)
    assert sync().silent_asked == 0
    hear(Outcome.CONNECTED, 0)
    clock.advance(days=541)
    assert sync().silent_asked == 1


def test_nobody_is_asked_about_a_number_that_must_not_be_contacted(
    people: MemoryCrm, sync: Sync, hear: Hear, store: Store
) -> None:
    people.put("people", "p2", phone=NUMBER, optout=True)
    hear(Outcome.CONNECTED, 700)

    assert sync().silent_asked == 0
    assert waiting(store) == []


def test_a_run_asks_about_a_few_and_the_next_ones_about_the_rest(
    crm: MemoryCrm, sync: Sync, hear: Hear, store: Store
) -> None:
    for place in range(7):
        number = f"+1415555020{place}"
        crm.put("people", f"p{place}", phone=number)
        hear(Outcome.CONNECTED, 700 + place, number=number)
    rules = EvidenceRules(silent=SilentRule(most_a_run=3))

    assert [sync(evidence=rules).silent_asked for _ in range(4)] == [3, 3, 1, 0]
    assert len({item.number for item in waiting(store)}) == 7
    assert sync(evidence=EvidenceRules(silent=SilentRule(most_a_run=0, after_days=1))).silent_asked == 0


def test_a_dry_run_and_one_with_a_limit_ask_nobody(people: MemoryCrm, sync: Sync, hear: Hear, store: Store) -> None:
    del people
    sync()
    hear(Outcome.CONNECTED, 700)

    assert sync(dry_run=True).silent_asked == 0
    assert sync(limit=5).silent_asked == 0
    assert waiting(store) == []
