"""Providers that take many numbers a call: their questions go on record together, and caps shrink the last call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import event, func, select

from ringfence.connectors.memory.lookup import PROFILE
from ringfence.core.errors import QuotaError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.caps import CapKind, Caps
from ringfence.core.model.policy import Policy
from ringfence.core.ports.lookup import NOT_ASKED
from ringfence.core.ports.services import Clock
from ringfence.core.screening.buying import BuyingGateway
from ringfence.core.screening.gateway import KnownAnswers
from ringfence.core.state import schema
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.store import Store
from testkit.clock import SetClock

NUMBERS = [f"+1415555{n:04}" for n in range(130, 142)]


class BatchProvider:
    """A provider of five numbers a call; ``calls`` are the numbers of each, and the call ``broke_at`` is refused."""

    name = "batches"
    realm = "batches:host:account"
    price = 0.01
    pace = None
    profile = replace(PROFILE, batch=5)

    def __init__(self, clock: Clock, broke_at: int = 0) -> None:
        self.calls: list[list[str]] = []
        self._clock = clock
        self._broke_at = broke_at

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Answer each call at once."""
        left = iter(numbers)
        while some := list(islice(left, self.profile.batch)):
            self.calls.append(some)
            if len(self.calls) == self._broke_at:
                raise QuotaError("no credit is left")
            for number in some:
                yield Answer(number, AnswerKind.KNOWN, self._clock.now(), line="active")

    def check(self) -> str | None:
        """Find nothing wrong."""
        return None

    def close(self) -> None:
        """Hold nothing."""


def begin(store: Store, clock: Clock, provider: Any, run_id: str = "r1", **caps: Any) -> BuyingGateway:
    """Return the gateway of a run with these caps."""
    known = KnownAnswers(LookupCache(store, run_id, Caps(**caps)), [provider], Policy().max_age)
    return BuyingGateway(known, clock)


def test_the_questions_of_a_call_go_on_record_in_one_step(store: Store, clock: SetClock) -> None:
    steps: list[str] = []
    event.listen(store.engine, "commit", lambda _connection: steps.append("commit"))
    questions = [Answer(number, AnswerKind.LOST, clock.now(), paid=False) for number in NUMBERS]

    claims = LookupCache(store, "r1").claim("batches:host:account", questions, clock.now(), again=False)

    assert [claim.instead for claim in claims] == [None] * len(NUMBERS)
    assert steps == ["commit"]
    assert _open_questions(store) == len(NUMBERS)


@pytest.mark.parametrize("cap", [CapKind.RUN_LOOKUPS, CapKind.DAY_LOOKUPS, CapKind.RUN_COST, CapKind.DAY_COST])
def test_the_last_call_shrinks_to_what_a_cap_leaves(store: Store, clock: SetClock, cap: CapKind) -> None:
    most: float = 0.07 if cap.of_money else 7
    provider = BatchProvider(clock)
    gateway = begin(store, clock, provider, **{cap.value: most})

    found = gateway.ask(NUMBERS, clock.now())

    assert provider.calls == [NUMBERS[:5], NUMBERS[5:7]]
    assert [kept.answer.kind for kept in found.values()] == [AnswerKind.KNOWN] * 7 + [AnswerKind.FAILED] * 5
    assert gateway.cap is not None
    assert gateway.cap.kind is cap
    assert _open_questions(store) == 0


def test_what_a_refused_call_was_about_is_owed_and_was_not_bought(store: Store, clock: SetClock) -> None:
    provider = BatchProvider(clock, broke_at=2)
    gateway = begin(store, clock, provider, max_lookups=12)
    gateway.ask(NUMBERS, clock.now())
    assert (gateway.tally.lookups, gateway.tally.failed) == (5, 7)
    assert _open_questions(store) == 0

    again = BatchProvider(clock)
    begin(store, clock, again, "r2").ask(NUMBERS[5:], clock.now())
    assert again.calls == [NUMBERS[5:10], NUMBERS[10:]]


def test_a_number_that_was_taken_and_never_sent_was_not_asked_about(store: Store, clock: SetClock) -> None:
    class Hesitating(BatchProvider):
        def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
            for number in islice(numbers, 2):
                yield Answer(number, AnswerKind.FAILED, self._clock.now(), code=NOT_ASKED, paid=False)
            raise QuotaError("no credit is left")

    provider = Hesitating(clock)
    gateway = begin(store, clock, provider, max_lookups=100)
    found = gateway.ask(NUMBERS, clock.now())

    assert gateway.tally.of("batches").asked == 0
    assert {kept.answer.kind for kept in found.values()} == {AnswerKind.FAILED}
    assert _open_questions(store) == 0


def test_what_came_to_no_call_is_taken_off_the_record(store: Store, clock: SetClock) -> None:
    class Leaving(BatchProvider):
        def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
            yield from super().look_up(islice(numbers, 2))  # the process is asked to end in the middle of a call

    provider = Leaving(clock)
    gateway = begin(store, clock, provider, max_lookups=100)
    gateway.ask(NUMBERS, clock.now())

    assert provider.calls == [NUMBERS[:2]]
    assert _open_questions(store) == 0
    rest = BatchProvider(clock)
    found = begin(store, clock, rest, "r2").ask(NUMBERS, clock.now())
    assert {number for call in rest.calls for number in call} == set(NUMBERS[2:])
    assert len(found) == len(NUMBERS)


def _open_questions(store: Store) -> int:
    """Return how many questions stand on record without an answer."""
    with store.transaction() as connection:
        return connection.scalar(select(func.count()).select_from(schema.lookup_questions)) or 0
