"""Numbers in, facts out: who is asked about what, how often, and what the answer does to the facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.verdicts import Facts, judge
from ringfence.core.numbers import Number, Validity, read_number
from ringfence.core.screening.screening import Question, Screening, no_ledger
from ringfence.core.state.journal import Journal
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider

FIRST, SECOND, THIRD = (f"+1 415 555 013{i}" for i in range(3))
E164S = ["+14155550130", "+14155550131", "+14155550132"]
NOTHING = {"kind": AnswerKind.INCONCLUSIVE}
FAILED = {"kind": AnswerKind.FAILED, "paid": False}
CUT_OFF = {"kind": AnswerKind.LOST}
GONE = {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "disconnected"}


def numbers(*raw: str, region: str | None = None) -> list[Number]:
    return [read_number(text, region) for text in raw]


def verdicts(screening: Screening, *raw: str, may_buy: bool = True, region: str | None = None) -> list[str | None]:
    """Screen the texts and return status and code of each; None where a lookup is owed."""
    asked = numbers(*raw, region=region)
    found = screening.screen(Question(number, may_buy) for number in asked)
    return [_describe(found[number]) for number in asked]


def _describe(facts: Facts | None) -> str | None:
    return f"{judge(facts).status} {facts.code}" if facts else None


def test_without_a_provider_the_numbering_plan_decides_and_no_store_is_needed(clock: SetClock) -> None:
    found = verdicts(Screening(clock, no_ledger), FIRST, "n/a", "020 7946 0018")
    assert found == ["valid allocated", "invalid not_a_number", "unknown no_region"]


def test_a_number_is_asked_about_once_however_it_is_spelled(run: Any, make_provider: MakeProvider) -> None:
    provider = make_provider()
    screening = run(provider)

    found = verdicts(screening, FIRST, "(415) 555-0130", "tel:+1-415-555-0130", FIRST, region="US")

    assert found == ["active live"] * 4
    assert verdicts(screening, "415.555.0130", region="US") == ["active live"]
    assert provider.asked == [E164S[0]]
    assert (screening.tally.lookups, screening.tally.cache_hits, screening.tally.duplicates) == (1, 0, 4)


@pytest.mark.parametrize("content", ["n/a", "12", "+999 1234567", "415 555 0130", "+1 415 555 01xx", "+1 200 000 0000"])
def test_what_is_invalid_or_has_no_country_is_never_bought(run: Any, make_provider: MakeProvider, content: str) -> None:
    provider = make_provider()
    (verdict,) = verdicts(run(provider), content)

    assert verdict is not None
    assert verdict.split()[0] in ("invalid", "unknown")
    assert provider.asked == []


def test_a_question_that_may_not_buy_takes_what_is_there(run: Any, make_provider: MakeProvider) -> None:
    provider = make_provider()
    assert verdicts(run(provider), FIRST, may_buy=False) == ["valid allocated"]

    verdicts(run(provider), FIRST)
    assert verdicts(run(provider), FIRST, SECOND, may_buy=False) == ["active live", "valid allocated"]
    assert provider.asked == [E164S[0]]


def test_an_answer_serves_every_run_until_it_ages_and_keeps_its_own_time(
    run: Any, make_provider: MakeProvider, clock: SetClock
) -> None:
    provider = make_provider()
    verdicts(run(provider), FIRST)
    bought = clock.now()
    clock.advance(days=30)
    (number,) = numbers(FIRST)

    facts = run(provider).screen([Question(number)])[number]

    assert facts.observed_at == bought

    clock.advance(seconds=1)
    assert run(provider).screen([Question(number)])[number].observed_at == clock.now()
    assert len(provider.asked) == 2


def test_another_account_of_a_provider_answers_for_itself(run: Any, make_provider: MakeProvider) -> None:
    ours, sandbox = make_provider(), make_provider("first-sandbox")
    verdicts(run(sandbox), FIRST)

    verdicts(run(ours), FIRST)

    assert (sandbox.asked, ours.asked) == ([E164S[0]], [E164S[0]])


def test_the_verdicts_of_an_org_answer_for_that_org_alone(
    run: Any, make_provider: MakeProvider, store: Store, clock: SetClock
) -> None:
    seeded = Answer(
        E164S[0],
        AnswerKind.KNOWN,
        clock.now() - timedelta(days=3),
        validity=Validity.VALID,
        line="unreachable",
        code="x",
    )
    LookupCache(store, "earlier").keep("crm:salesforce:1", [seeded])

    provider = make_provider()

    assert verdicts(run(provider, crm_realms=["crm:salesforce:1"]), FIRST) == ["unreachable unreachable"]
    assert provider.asked == []
    assert verdicts(run(provider, crm_realms=["crm:salesforce:2"]), FIRST) == ["active live"]


@pytest.mark.parametrize(
    ("first", "second", "expected", "second_asked"),
    [
        (GONE, None, "disconnected out_of_service", False),
        (NOTHING, GONE, "disconnected out_of_service", True),
        (FAILED, GONE, "disconnected out_of_service", True),
        (CUT_OFF, GONE, "disconnected out_of_service", True),
        (NOTHING, FAILED, "valid inconclusive", True),
        (FAILED, NOTHING, "valid inconclusive", True),
        (CUT_OFF, FAILED, "valid inconclusive", True),
        (FAILED, FAILED, None, True),
    ],
)
def test_a_second_provider_is_asked_about_what_the_first_does_not_know(
    run: Any, make_provider: MakeProvider, first: Any, second: Any, expected: str | None, second_asked: bool
) -> None:
    one, two = make_provider(says={E164S[0]: first}), make_provider("second", says={E164S[0]: second})

    assert verdicts(run(one, two), FIRST) == [expected]
    assert len(one.asked) == 1
    assert len(two.asked) == second_asked


def test_what_every_provider_failed_on_is_not_asked_again_before_the_next_run(
    run: Any, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={E164S[0]: FAILED})
    screening = run(provider)

    assert [verdicts(screening, FIRST) for _ in range(3)] == [[None]] * 3
    assert len(provider.asked) == 1

    provider.says.clear()
    assert verdicts(run(provider), FIRST) == ["active live"]


def test_a_budget_is_never_overdrawn_and_says_so(run: Any, make_provider: MakeProvider) -> None:
    provider = make_provider()
    screening = run(provider, max_lookups=2)

    assert verdicts(screening, FIRST) == ["active live"]
    assert not screening.exhausted
    assert verdicts(screening, SECOND, THIRD) == ["active live", None]
    assert screening.exhausted
    assert verdicts(screening, FIRST, THIRD) == ["active live", None]
    assert (screening.tally.lookups, provider.asked) == (2, E164S[:2])
    assert verdicts(run(provider, max_lookups=1), FIRST, SECOND, THIRD) == ["active live"] * 3


def test_a_failure_that_may_have_been_billed_counts_against_the_budget_and_is_not_bought(
    run: Any, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={number: {"kind": AnswerKind.FAILED, "paid": True} for number in E164S})
    screening = run(provider, max_lookups=2)

    assert verdicts(screening, FIRST, SECOND, THIRD) == [None] * 3
    assert (provider.asked, screening.tally.lookups, screening.exhausted) == (E164S[:2], 0, True)


def test_a_second_provider_draws_on_the_same_budget(run: Any, make_provider: MakeProvider) -> None:
    one, two = make_provider(says=dict.fromkeys(E164S, NOTHING)), make_provider("second")
    screening = run(one, two, max_lookups=4)

    found = verdicts(screening, FIRST, SECOND, THIRD)

    # Both work at once: which of them gets the last lookup is a matter of chance.
    assert len(one.asked) + len(two.asked) == screening.tally.lookups == 4
    assert found.count("active live") == len(two.asked) in (1, 2)
    assert found.count("valid inconclusive") == len(one.asked) - len(two.asked)


def test_no_further_provider_is_asked_about_what_another_run_waits_for(
    run: Any, make_provider: MakeProvider, store: Store, clock: SetClock
) -> None:
    Journal(store, "run-0").begin("memory", None, clock.now(), dry_run=False, options={})
    one, two = make_provider(), make_provider("second")

    first, theirs = run(make_provider(says={E164S[0]: MemoryError()})), run(one, two)

    with pytest.raises(MemoryError):
        verdicts(first, FIRST)
    assert verdicts(theirs, FIRST, SECOND) == [None, "active live"]
    assert (one.asked, two.asked) == ([E164S[1]], [])
    assert not theirs.exhausted


def test_a_lost_answer_is_not_bought_again_silently(run: Any, make_provider: MakeProvider, clock: SetClock) -> None:
    provider = make_provider(says={E164S[0]: CUT_OFF})
    assert verdicts(run(provider), FIRST) == ["valid inconclusive"]

    provider.says.clear()
    again = run(provider)
    (number,) = numbers(FIRST)

    facts = again.screen([Question(number)])[number]

    assert "(answer lost)" in judge(facts).reason
    assert (again.tally.lost, len(provider.asked)) == (1, 1)
    assert verdicts(run(provider, retry_lost=True), FIRST) == ["active live"]
    assert verdicts(run(provider), FIRST) == ["active live"]
    assert len(provider.asked) == 2


def test_a_lost_answer_may_be_asked_for_again_when_its_verdict_has_aged(
    run: Any, make_provider: MakeProvider, clock: SetClock
) -> None:
    provider = make_provider(says={E164S[0]: CUT_OFF})
    verdicts(run(provider), FIRST)
    provider.says.clear()

    clock.advance(days=30, seconds=1)

    assert verdicts(run(provider), FIRST) == ["active live"]


def test_an_outage_leaves_the_rest_owed_and_what_was_answered_stays(run: Any, make_provider: MakeProvider) -> None:
    provider = make_provider(says={E164S[1]: UnreachableError("down")})

    assert verdicts(run(provider), FIRST, SECOND, THIRD) == ["active live", None, None]

    provider.says.clear()
    assert verdicts(run(provider), FIRST, SECOND, THIRD) == ["active live"] * 3
    assert provider.asked == [E164S[0], E164S[1], E164S[1], E164S[2]]


def lost_answers(store: Store, clock: SetClock, realm: str) -> Sequence[str]:
    found = LookupCache(store, "later").find(E164S, [realm], clock.now() - timedelta(days=60), clock.now())
    return [number for number, some in found.items() if any(each.answer.kind is AnswerKind.LOST for each in some)]


def test_a_dry_run_counts_each_number_once_and_asks_nobody(
    run: Any, rehearse: Any, make_provider: MakeProvider, store: Store, clock: SetClock
) -> None:
    provider = make_provider()
    verdicts(run(provider), FIRST)

    rehearsal = rehearse(provider, max_lookups=1)

    assert verdicts(rehearsal, FIRST, SECOND) == ["active live", "valid inconclusive"]
    assert not rehearsal.exhausted
    assert verdicts(rehearsal, SECOND, THIRD) == ["valid inconclusive", None]
    assert rehearsal.exhausted
    assert (rehearsal.tally.would_buy, rehearsal.tally.lookups, len(provider.asked)) == (1, 0, 1)
    assert lost_answers(store, clock, provider.realm) == []


def test_a_plan_leaves_open_what_it_would_have_bought(run: Any, rehearse: Any, make_provider: MakeProvider) -> None:
    provider = make_provider()
    verdicts(run(provider), FIRST)
    rehearsal = rehearse(provider, defer=True)

    for _ in range(2):
        assert verdicts(rehearsal, FIRST, SECOND) == ["active live", None]

    assert (rehearsal.tally.would_buy, len(provider.asked)) == (1, 1)
