"""What lookups leave in doubt: the earlier verdict stands, the line stays unreachable, and a person is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.policy import UnreachableRule
from ringfence.core.model.review_items import Resolution, ReviewItem, ReviewReason
from ringfence.core.screening.purchase import ask
from ringfence.core.state.held_about import HeldAbout
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.lookup_history import DoubtWatch
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider

NUMBER = "+14155550132"
REALM = "first:host:account"


class Lookups:
    """Asks about the number, each time in a run of its own."""

    def __init__(self, store: Store, clock: SetClock, make_provider: MakeProvider) -> None:
        self.store, self.clock, self.make_provider = store, clock, make_provider
        self.runs = 0

    def look_up(self, line: str, provider: str = "first") -> LookupCache:
        """Have a provider say this of the line, and return what the run then knows."""
        self.runs += 1
        watch = DoubtWatch(self.store.keyring, "", UnreachableRule())
        cache = LookupCache(self.store, f"run-{self.runs}", watch=watch)
        says = {NUMBER: {"kind": AnswerKind.KNOWN, "line": line, "evidence": Evidence.LIVE_NETWORK}}
        lookup = self.make_provider(provider, says=says)
        # As in a rescreen: whatever is on record, it is asked anew.
        list(ask(cache, self.clock, lookup, [NUMBER], since=self.clock.now() + timedelta(seconds=1)))
        return cache

    def line(self, cache: LookupCache) -> str | None:
        """Return the state of the line that a run finds on record at the first provider."""
        now = self.clock.now()
        (kept,) = cache.find([NUMBER], [REALM], now - timedelta(days=365), now)[NUMBER]
        return kept.answer.line

    def reviews(self) -> list[ReviewItem]:
        """Return what waits for a person."""
        with self.store.transaction() as connection:
            return ReviewQueue(self.store.keyring, "").list_open(connection)

    def decide(self) -> None:
        """Dismiss all that waits."""
        ids = [each.id for each in self.reviews()]
        with self.store.transaction() as connection:
            queue = ReviewQueue(self.store.keyring, "")
            queue.resolve(connection, ids, Resolution.DISMISS, "ann@desk", self.clock.now())


@pytest.fixture
def lookups(store: Store, clock: SetClock, make_provider: MakeProvider) -> Lookups:
    return Lookups(store, clock, make_provider)


def test_of_two_answers_of_a_provider_that_contradict_each_other_the_earlier_stands(
    lookups: Lookups, clock: SetClock
) -> None:
    lookups.look_up("active")
    clock.advance(hours=20)

    cache = lookups.look_up("disconnected")

    assert lookups.line(cache) == "active"
    (item,) = lookups.reviews()
    assert (item.reason, item.number, item.since) == (ReviewReason.CONFLICT, NUMBER, clock.now())
    assert "the first of them stands" in item.evidence


def test_the_answer_that_stands_counts_for_the_run_that_asked_anew(
    lookups: Lookups, clock: SetClock, make_provider: MakeProvider
) -> None:
    lookups.look_up("active")
    clock.advance(hours=20)
    cache = lookups.look_up("disconnected")
    again = make_provider("first")

    (answer,) = ask(cache, clock, again, [NUMBER], since=clock.now() + timedelta(seconds=1))

    assert (again.asked, answer.line) == ([], "active")


def test_after_a_day_the_newer_answer_stands(lookups: Lookups, clock: SetClock) -> None:
    lookups.look_up("active")
    clock.advance(hours=25)

    assert lookups.line(lookups.look_up("disconnected")) == "disconnected"
    assert lookups.reviews() == []


def test_the_answers_of_two_providers_are_compared(lookups: Lookups, clock: SetClock) -> None:
    lookups.look_up("active")
    clock.advance(hours=1)

    lookups.look_up("disconnected", "second")

    assert [each.reason for each in lookups.reviews()] == [ReviewReason.CONFLICT]


def test_a_line_that_is_not_reached_again_and_again_goes_to_review_once(lookups: Lookups, clock: SetClock) -> None:
    for _ in range(2):
        lookups.look_up("unreachable")
        clock.advance(days=10)
    assert lookups.reviews() == []

    for _ in range(2):
        assert lookups.line(lookups.look_up("unreachable")) == "unreachable"
        clock.advance(days=10)

    assert [each.reason for each in lookups.reviews()] == [ReviewReason.SUSPECT]


def test_once_somebody_has_decided_the_tries_are_counted_anew(lookups: Lookups, clock: SetClock) -> None:
    for _ in range(3):
        lookups.look_up("unreachable")
        clock.advance(days=10)
    lookups.decide()

    for _ in range(2):
        clock.advance(days=10)
        lookups.look_up("unreachable")
    assert lookups.reviews() == []

    clock.advance(days=10)
    lookups.look_up("unreachable")
    assert [each.reason for each in lookups.reviews()] == [ReviewReason.SUSPECT]


def test_an_answer_that_is_older_than_what_is_known_replaces_nothing(lookups: Lookups, clock: SetClock) -> None:
    cache = lookups.look_up("active")
    older = clock.now() - timedelta(days=20)
    told = Answer(NUMBER, AnswerKind.KNOWN, older, line="disconnected", evidence=Evidence.LIVE_NETWORK)

    cache.record_answer(REALM, told)

    assert lookups.line(cache) == "active"


def test_each_word_is_there_for_whoever_asks_what_is_held(lookups: Lookups, store: Store, clock: SetClock) -> None:
    for line in ("active", "disconnected"):
        lookups.look_up(line)
        clock.advance(hours=2)

    held = [(source, answer.line) for source, answer in HeldAbout(store, NUMBER).answers()]

    assert held == [("first", "active"), ("first", "disconnected")]


def test_what_no_network_told_leaves_no_history(store: Store, clock: SetClock, make_provider: MakeProvider) -> None:
    provider: Any = make_provider(
        says={NUMBER: {"kind": AnswerKind.KNOWN, "line": "active", "evidence": Evidence.VENDOR_ASSERTED}}
    )
    cache = LookupCache(store, "run", watch=DoubtWatch(store.keyring, "", UnreachableRule()))
    list(ask(cache, clock, provider, [NUMBER], since=clock.now()))

    with store.transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM lookup_history").scalar() == 0
