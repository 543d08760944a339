"""What a run has saved: numbers that were known, and those that several phone fields hold."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.numbers import read_number
from ringfence.core.runs.spending import saved_to_json, spending_to_json
from ringfence.core.screening.screening import Question, Screening
from testkit.memory_runs import MakeProvider

FIRST, SECOND, THIRD = "+14155550130", "+14155550131", "+14155550132"
UNREADABLE = "n/a"


def ask(screening: Screening, *numbers: str, times: int = 1, may_buy: bool = True) -> None:
    """Screen numbers as one batch."""
    screening.screen([Question(read_number(number, None), may_buy, times) for number in numbers])


def counts(screening: Screening) -> tuple[int, int, int]:
    """Return the answers from the record, the duplicates and the lookups saved."""
    return screening.tally.cache_hits, screening.tally.duplicates, screening.tally.saved


@pytest.fixture
def provider(make_provider: MakeProvider) -> Any:
    made = make_provider()
    made.price = 0.25
    return made


def test_a_number_that_several_fields_hold_is_saved_for_all_but_the_first(run: Any, provider: Any) -> None:
    screening = run(provider)

    ask(screening, FIRST, FIRST, SECOND, UNREADABLE, UNREADABLE)
    ask(screening, FIRST, times=3)

    assert counts(screening) == (0, 4, 4)
    assert saved_to_json(screening.tally) == {"lookups": 4, "cost": 1.0}
    assert len(provider.asked) == 2


def test_what_an_earlier_run_has_bought_is_saved_and_counted_as_known(run: Any, provider: Any) -> None:
    ask(run(provider), FIRST)
    screening = run(provider)

    ask(screening, FIRST, SECOND, times=2)

    assert counts(screening) == (1, 2, 3)
    spending = spending_to_json(screening.tally, "EUR")
    assert spending == {"lookups": 1, "spent": 0.25, "saved_lookups": 3, "saved": 0.75, "currency": "EUR"}


def test_batches_that_were_prepared_together_count_as_those_that_were_not(run: Any, provider: Any) -> None:
    ask(run(provider), FIRST)
    screening = run(provider)

    screening.prepare(Question(read_number(number, None)) for number in (FIRST, SECOND, SECOND))
    assert counts(screening) == (1, 0, 0)  # nothing is saved before somebody asks
    for batch in ((FIRST, SECOND), (SECOND,), (FIRST, THIRD)):
        ask(screening, *batch)

    assert counts(screening) == (1, 2, 3)
    assert provider.asked == [FIRST, SECOND, THIRD]


def test_what_nobody_wanted_to_buy_and_what_failed_saves_nothing(run: Any, provider: Any) -> None:
    ask(run(provider), FIRST)
    screening = run(provider, max_lookups=0)

    ask(screening, FIRST, may_buy=False)
    ask(screening, SECOND, times=5)

    assert counts(screening) == (1, 0, 0)


def test_savings_at_a_price_that_nobody_knows_have_no_cost(run: Any, provider: Any) -> None:
    provider.price = None
    screening = run(provider)

    ask(screening, FIRST, times=2)

    assert saved_to_json(screening.tally) == {"lookups": 1, "cost": None}


@pytest.mark.parametrize("defer", [False, True])
def test_a_dry_run_counts_what_it_would_save(rehearse: Any, run: Any, provider: Any, defer: bool) -> None:
    ask(run(provider), FIRST)
    screening = rehearse(provider, defer=defer)

    ask(screening, FIRST, SECOND, times=2)
    ask(screening, SECOND)

    assert (screening.tally.would_buy, *counts(screening)) == (1, 1, 3, 4)
