"""Asking a provider from several parts of one run: no number is asked about twice, and none waits for a dead worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.ports.crm import Org
from ringfence.core.screening.purchase import ask
from ringfence.core.state.cursors import register_org
from ringfence.core.state.journal import Journal
from ringfence.core.state.kept_answers import BESIDE
from ringfence.core.state.leases import take_lease, this_process
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.part_holds import PartHold, hold_part
from ringfence.core.state.run_parts import NewPart, Phase, add_parts
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider

A, RUN, REALM = "+14155550130", "run-1", "first:host:account"
MONTH = timedelta(days=30)


@pytest.fixture
def holds(store: Store, clock: SetClock) -> list[PartHold]:
    """Begin a run, and give the right to its two parts."""
    org_id = register_org(store, Org("memory", "1", "Here", production=False))
    take_lease(store, org_id, RUN, clock.now(), this_process())
    Journal(store, RUN).begin("memory", org_id, clock.now(), dry_run=False, options={})
    add_parts(store, RUN, 1, [NewPart("people", Phase.CHANGED, "", {})] * 2)
    found = [hold_part(store, RUN, part, clock.now()) for part in (1, 2)]
    return [hold for hold in found if hold is not None]


def buy(store: Store, clock: SetClock, provider: Any, part: int | None) -> Iterator[Answer]:
    return ask(LookupCache(store, RUN, part=part), clock, provider, [A], since=clock.now() - MONTH)


@pytest.mark.usefixtures("holds")
def test_two_parts_never_wait_for_one_answer_both_nor_take_it_for_lost(
    store: Store, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider, second = make_provider(), make_provider()
    beside: list[Answer] = []
    provider.on_question = lambda _number: beside.extend(
        [*buy(store, clock, second, 2), *buy(store, clock, second, None)]
    )

    answers = list(buy(store, clock, provider, 1))

    assert [answer.kind for answer in answers] == [AnswerKind.KNOWN]
    assert [(answer.kind, answer.code) for answer in beside] == [(AnswerKind.FAILED, BESIDE)] * 2
    assert (provider.asked, second.asked) == ([A], [])
    known = LookupCache(store, RUN).find([A], [REALM], clock.now() - MONTH, clock.now())
    assert known[A][0].answer.kind is AnswerKind.KNOWN


def test_what_a_dead_worker_has_asked_is_lost_to_the_run_at_once_and_not_bought_again(
    holds: list[PartHold], store: Store, clock: SetClock, make_provider: MakeProvider
) -> None:
    def die(_number: str) -> None:
        raise KeyboardInterrupt

    provider, second = make_provider(), make_provider()
    provider.on_question = die
    with pytest.raises(KeyboardInterrupt), closing(buy(store, clock, provider, 1)) as dying:
        next(dying)
    holds[0].hand_back()

    (answer,) = buy(store, clock, second, None)

    assert answer.kind is AnswerKind.LOST
    assert second.asked == []
