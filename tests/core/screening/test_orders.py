"""Providers that answer later: what was ordered is fetched once it is there, in this run or in a later one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from ringfence.connectors.memory.lookup import PROFILE
from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind, Order
from ringfence.core.model.verdicts import judge
from ringfence.core.numbers import Validity, read_number
from ringfence.core.ports.services import Clock
from ringfence.core.screening.screening import Question, Screening
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider

NUMBERS = [f"+1415555{n:04}" for n in range(132, 136)]


@dataclass
class LaterProvider:
    """A provider that takes orders, and answers them once ``ready`` says so; ``lost`` are never answered."""

    clock: Clock
    name: str = "later"
    price: float | None = 0.01
    pace: float | None = None
    ready: bool = False
    ready_after_looks: int = 1000
    lost: tuple[str, ...] = ()
    waits_s: float = 0.0
    ordered: list[str] = field(default_factory=list)
    looks: int = 0
    profile: Any = PROFILE
    realm: str = "later:host:account"

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer | Order]:
        taken = list(numbers)
        self.ordered += taken
        if taken:
            yield Order(f"order-{len(self.ordered)}", tuple(taken))

    def collect(self, order: Order) -> Iterator[Answer]:
        self.looks += 1
        if not self.ready and self.looks < self.ready_after_looks:
            return
        for number in order.numbers:
            kind = AnswerKind.LOST if number in self.lost else AnswerKind.KNOWN
            yield Answer(number, kind, self.clock.now(), Validity.VALID, line="active")

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        """Nothing is held."""


def statuses(screening: Screening, *numbers: str) -> list[str | None]:
    """Screen the numbers and return the status of each; None where a lookup is owed."""
    asked = [read_number(number, None) for number in numbers]
    found = screening.screen(Question(number) for number in asked)
    return [judge(facts).status.value if (facts := found[number]) else None for number in asked]


def test_an_order_is_waited_for_by_later_runs_and_never_placed_again(run: Any, clock: SetClock) -> None:
    provider = LaterProvider(clock)
    first, second = run(provider), run(provider)

    assert statuses(first, *NUMBERS) == [None] * 4
    assert first.tally.waiting == {"later": 4}
    assert (first.tally.failed, first.tally.lookups) == (0, 4)
    clock.advance(days=2)
    assert statuses(second, *NUMBERS) == [None] * 4
    assert second.tally.waiting == {"later": 4}

    provider.ready = True
    third = run(provider)
    assert statuses(third, *NUMBERS) == ["active"] * 4
    assert (third.tally.lookups, third.tally.waiting) == (0, {})
    assert provider.ordered == NUMBERS


def test_a_run_waits_for_an_order_as_long_as_the_provider_is_waited_for(run: Any, clock: SetClock) -> None:
    provider = LaterProvider(clock, ready_after_looks=4, waits_s=60)
    began = clock.now()

    assert statuses(run(provider), *NUMBERS) == ["active"] * 4
    assert timedelta(seconds=5) < clock.now() - began < timedelta(seconds=60)


def test_what_an_order_never_answers_is_lost_and_not_bought_again_unasked(run: Any, clock: SetClock) -> None:
    provider = LaterProvider(clock, ready=True, lost=(NUMBERS[0],))

    first = run(provider)
    assert statuses(first, *NUMBERS) == ["valid", *["active"] * 3]
    assert first.tally.lost == 1
    assert statuses(run(provider), *NUMBERS) == ["valid", *["active"] * 3]
    assert provider.ordered == NUMBERS

    assert statuses(run(provider, retry_lost=True), NUMBERS[1]) == ["active"]


def test_an_order_older_than_answers_count_is_placed_again(run: Any, clock: SetClock) -> None:
    provider = LaterProvider(clock)
    statuses(run(provider), *NUMBERS)

    clock.advance(days=31)
    statuses(run(provider), *NUMBERS)

    assert provider.ordered == NUMBERS * 2


def test_a_provider_that_is_away_keeps_its_orders(run: Any, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = LaterProvider(clock)
    statuses(run(provider), *NUMBERS)

    def away(_order: Order) -> Iterator[Answer]:
        raise UnreachableError("later.example does not answer")

    monkeypatch.setattr(provider, "collect", away)
    assert statuses(run(provider), *NUMBERS) == [None] * 4
    monkeypatch.undo()
    provider.ready = True
    assert statuses(run(provider), *NUMBERS) == ["active"] * 4
    assert provider.ordered == NUMBERS


def test_a_number_on_order_is_not_asked_of_the_next_provider(
    run: Any, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider, other = LaterProvider(clock), make_provider("other")

    assert statuses(run(provider, other), *NUMBERS) == [None] * 4
    assert statuses(run(provider, other), *NUMBERS) == [None] * 4
    assert other.asked == []
