"""The gate in front of the providers: no suppressed number passes, whatever the caller asks for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from ringfence.core.model.verdicts import OptOut, Status, judge
from ringfence.core.numbers import read_number
from ringfence.core.screening.screening import Question, Screening, no_ledger
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider

CALLABLE, SILENT = "+14155550130", "+14155550131"


class Ledger:
    """A suppression check that remembers how often it was asked, and about what."""

    def __init__(self, *suppressed: str) -> None:
        self.suppressed = frozenset(suppressed)
        self.asked: list[set[str]] = []

    def covered(self, numbers: Collection[str]) -> frozenset[str]:
        self.asked.append(set(numbers))
        return self.suppressed & set(numbers)


@pytest.mark.parametrize("may_buy", [True, False])
def test_a_suppressed_number_is_never_sent_to_a_provider(run: Any, make_provider: MakeProvider, may_buy: bool) -> None:
    provider = make_provider()
    screening = run(provider, suppressed=Ledger(SILENT).covered)
    silent, callable_ = read_number(SILENT, None), read_number(CALLABLE, None)

    facts = screening.screen([Question(silent, may_buy), Question(callable_)])

    assert provider.asked == [CALLABLE]
    assert judge(facts[silent]).status is Status.DO_NOT_CONTACT
    assert judge(facts[silent]).reason.startswith("opted_out: another record with this number opted out")
    assert judge(facts[callable_]).status is Status.ACTIVE


def test_a_suppressed_number_is_silent_also_where_an_answer_about_it_is_known(
    run: Any, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    number = read_number(SILENT, None)
    run(provider).screen([Question(number)])
    later = run(provider, suppressed=Ledger(SILENT).covered)

    facts = later.screen([Question(number)])

    assert judge(facts[number]).status is Status.DO_NOT_CONTACT
    assert later.tally.cache_hits == 0


def test_a_suppressed_number_silences_every_spelling_and_the_cells_that_hold_it_beside_another(
    run: Any, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    screening = run(provider, suppressed=Ledger(SILENT).covered)
    cells = [read_number(text, "US") for text in ("415 555 0131", "(415) 555-0131", "415 555 0130 / 415 555 0131")]

    facts = screening.screen(Question(cell) for cell in cells)

    assert provider.asked == []
    assert [facts[cell].opt_out for cell in cells] == [OptOut.SHARED] * 3
    assert facts[cells[2]].opted_out_via == "+1415***0131"


def test_the_check_is_asked_once_a_batch_about_every_number_in_it(run: Any, make_provider: MakeProvider) -> None:
    ledger = Ledger(SILENT)
    screening = run(make_provider(), suppressed=ledger.covered)
    cells = [read_number(text, "US") for text in (CALLABLE, SILENT, "n/a", CALLABLE)]

    screening.screen(Question(cell) for cell in cells)
    screening.screen([Question(read_number("n/a", None))])

    assert ledger.asked == [{CALLABLE, SILENT}]


def test_without_a_provider_the_facts_say_so_too(clock: SetClock) -> None:
    number = read_number(SILENT, None)

    facts = Screening(clock, Ledger(SILENT).covered).screen([Question(number)])

    assert judge(facts[number]).status is Status.DO_NOT_CONTACT


def test_a_dry_run_counts_no_suppressed_number(rehearse: Any, make_provider: MakeProvider) -> None:
    screening = rehearse(make_provider(), suppressed=Ledger(SILENT).covered)

    screening.screen(Question(read_number(text, None)) for text in (CALLABLE, SILENT))

    assert screening.tally.would_buy == 1


def test_a_door_without_a_ledger_suppresses_nothing() -> None:
    assert no_ledger([CALLABLE, SILENT]) == frozenset()
