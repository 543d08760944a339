"""Which providers are asked about a number: by line type, region, needed axis and price, as the policy says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ringfence.connectors.memory.lookup import PROFILE
from ringfence.core.errors import MappingError
from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.axes import Axis, Evidence, Reassigned, Reassignment
from ringfence.core.model.policy import Policy
from ringfence.core.model.verdicts import judge
from ringfence.core.numbers import Validity, read_number
from ringfence.core.screening.routing import Routing
from ringfence.core.screening.screening import Question, Screening
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider

GERMAN_MOBILE, GERMAN_LANDLINE, AMERICAN = "+4915123456789", "+493012345678", "+14155550132"
NOTHING_NEW = {"kind": AnswerKind.INCONCLUSIVE}
GONE = Reassignment(Reassigned.YES, date(2026, 1, 1))
STAYED = Reassignment(Reassigned.NO, date(2026, 1, 1))
DEAD = {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "disconnected"}
LIVE = {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "active"}
BY_NETWORK = {"evidence": Evidence.LIVE_NETWORK}


def provider(make: MakeProvider, name: str, *, tells: set[Axis] | None = None, **options: Any) -> Any:
    """Make a provider that tells these axes; a state of the line unless said otherwise."""
    places = options.pop("countries", ())
    made = make(name, says=options.pop("says", {}))
    made.price = options.pop("price", None)
    made.profile = replace(PROFILE, tells=frozenset(tells or {Axis.LINE_STATE}), countries=places)
    return made


def status(screening: Screening, number: str) -> str | None:
    """Screen a number and return its status; None where its lookup is owed."""
    asked = read_number(number, None)
    facts = screening.screen([Question(asked)])[asked]
    return judge(facts).status.value if facts else None


def names(policy: Mapping[str, Any], number: str, *lookups: Any) -> list[str]:
    """Return the names of the providers on the way of a number."""
    routing = Routing.of(Policy.model_validate(policy), lookups)
    return [stop.lookup.name for stop in routing.find_way(number, lookups)]


@pytest.mark.parametrize(
    ("number", "way"),
    [(GERMAN_MOBILE, ["b"]), (GERMAN_LANDLINE, ["c", "a"]), (AMERICAN, ["b", "c"]), ("+33612345678", ["b"])],
)
def test_the_line_type_goes_before_the_region_and_the_region_before_the_default(
    make_provider: MakeProvider, number: str, way: list[str]
) -> None:
    routing = {"mobile": ["b"], "DE": ["c", "a"], "default": ["b", "c"]}
    lookups = [provider(make_provider, name) for name in "abc"]

    assert names({"routing": routing}, number, *lookups) == way


def test_without_a_routing_the_list_is_the_order_and_the_first_is_asked_whatever_it_tells(
    make_provider: MakeProvider,
) -> None:
    tells = [{Axis.VALIDITY}, {Axis.CARRIER}, {Axis.LINE_STATE}]
    lookups = [provider(make_provider, name, tells=axes) for name, axes in zip("abc", tells, strict=True)]

    assert names({}, AMERICAN, *lookups) == ["a", "c"]


def test_the_cheapest_comes_first_of_those_that_tell_what_is_needed(make_provider: MakeProvider) -> None:
    prices = [("dear", 0.02), ("unpriced", None), ("cheap", 0.01)]
    lookups = [provider(make_provider, name, price=price) for name, price in prices]
    lookups.append(provider(make_provider, "formal", price=0.001, tells={Axis.VALIDITY}))

    assert names({"routing": {"default": "cheapest"}}, AMERICAN, *lookups) == ["cheap", "dear", "unpriced"]


def test_a_provider_that_does_not_cover_the_country_is_skipped(make_provider: MakeProvider) -> None:
    american, everywhere = provider(make_provider, "a", countries=("US", "CA")), provider(make_provider, "b")

    assert names({}, AMERICAN, american, everywhere) == ["a", "b"]
    assert names({}, GERMAN_MOBILE, american, everywhere) == ["b"]


def test_a_number_that_no_provider_covers_is_judged_by_the_numbering_plan_and_owes_nothing(
    run: Any, rehearse: Any, make_provider: MakeProvider
) -> None:
    american = provider(make_provider, "a", countries=("US",), price=1.0)
    screening, dry = run(american), rehearse(american)

    assert status(screening, GERMAN_MOBILE) == status(dry, GERMAN_MOBILE) == "valid"
    assert (american.asked, screening.tally.failed, dry.tally.would_buy) == ([], 0, 0)


def test_a_policy_that_routes_to_a_provider_out_of_use_is_refused(make_provider: MakeProvider) -> None:
    with pytest.raises(MappingError, match="routes US to vonage") as caught:
        names({"routing": {"US": ["vonage"]}}, AMERICAN, provider(make_provider, "a"))
    assert "list of providers" in caught.value.remedy


def test_a_further_axis_is_asked_of_who_tells_it_and_only_once(run: Any, make_provider: MakeProvider) -> None:
    policy = Policy(checks=(Axis.LINE_STATE, Axis.REASSIGNED))
    one = provider(make_provider, "one")
    says = {AMERICAN: {**NOTHING_NEW, "reassigned": STAYED}, "+14155550133": {**LIVE, "reassigned": GONE}}
    two = provider(make_provider, "two", tells={Axis.REASSIGNED}, says=says)

    screening = run(one, two, policy=policy)
    assert status(screening, AMERICAN) == "active"
    assert status(screening, "+14155550133") == "wrong_person"
    later = run(one, two, policy=policy)
    assert status(later, AMERICAN) == "active"
    assert status(later, "+14155550133") == "wrong_person"
    assert one.asked == two.asked == [AMERICAN, "+14155550133"]
    assert later.tally.lookups == 0


def test_a_run_that_was_cut_off_between_two_axes_buys_the_second_alone(run: Any, make_provider: MakeProvider) -> None:
    one = provider(make_provider, "one")
    two = provider(make_provider, "two", tells={Axis.REASSIGNED}, says={AMERICAN: {**NOTHING_NEW, "reassigned": GONE}})
    status(run(one), AMERICAN)

    two.says[AMERICAN] = {**LIVE, "reassigned": GONE}
    assert status(run(one, two, policy=Policy(checks=(Axis.LINE_STATE, Axis.REASSIGNED))), AMERICAN) == "wrong_person"
    assert (one.asked, two.asked) == ([AMERICAN], [AMERICAN])


@pytest.mark.parametrize(("third", "amounts_to"), [(DEAD, "disconnected"), (LIVE, "active")])
def test_a_second_opinion_settles_what_two_live_answers_of_a_day_leave_open(
    run: Any, make_provider: MakeProvider, clock: SetClock, third: Mapping[str, Any], amounts_to: str
) -> None:
    policy = Policy(max_age_days=0.5, second_opinion=True)
    one = provider(make_provider, "one", says={AMERICAN: {**LIVE, **BY_NETWORK}})
    two = provider(make_provider, "two", says={AMERICAN: {**third, **BY_NETWORK}})
    assert status(run(one, two, policy=policy), AMERICAN) == "active"

    clock.advance(hours=13)
    one.says[AMERICAN] = {**DEAD, **BY_NETWORK}
    assert status(run(one, two, policy=policy), AMERICAN) == amounts_to
    assert two.asked == [AMERICAN]


def test_without_a_second_opinion_the_earlier_of_two_contradictory_answers_stands(
    run: Any, make_provider: MakeProvider, clock: SetClock
) -> None:
    policy = Policy(max_age_days=0.5)
    one, two = provider(make_provider, "one", says={AMERICAN: {**LIVE, **BY_NETWORK}}), provider(make_provider, "two")
    status(run(one, two, policy=policy), AMERICAN)

    clock.advance(hours=13)
    one.says[AMERICAN] = {**DEAD, **BY_NETWORK}
    assert status(run(one, two, policy=policy), AMERICAN) == "active"
    assert two.asked == []


def test_what_a_dry_run_would_cost_follows_the_way_of_each_number(rehearse: Any, make_provider: MakeProvider) -> None:
    policy = Policy(routing={"DE": ("dear",), "default": ("cheap",)})
    dry = rehearse(
        provider(make_provider, "dear", price=0.5), provider(make_provider, "cheap", price=0.1), policy=policy
    )

    for number in (GERMAN_MOBILE, GERMAN_LANDLINE, AMERICAN):
        status(dry, number)

    assert dry.tally.cost_planned == pytest.approx(1.1)
