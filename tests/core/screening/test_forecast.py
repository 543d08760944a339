"""What planned lookups would cost and how long they would take."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from ringfence.connectors.lookups.itg import ItgLookup
from ringfence.connectors.lookups.itg_settings import ItgSettings
from ringfence.connectors.memory.lookup import PROFILE, MemoryLookup
from ringfence.core.errors import ErrorCode, SettingsError
from ringfence.core.model.caps import Caps
from ringfence.core.ports.services import Services
from ringfence.core.screening.forecast import USUAL_PACE, Forecast, forecast
from ringfence.core.screening.gateway import Tally
from ringfence.core.screening.prices import describe_cost, refuse_unpriced
from testkit.clock import SetClock


def provider(clock: SetClock, name: str, *, batch: int = 1, pace: float | None = None, price: float | None = 1) -> Any:
    """Return a provider of this pace, whose calls take so many numbers."""
    return MemoryLookup(clock, name=name, price=price, pace=pace, profile=replace(PROFILE, batch=batch))


def planned(**numbers: int) -> Tally:
    """Return a tally in which providers would be asked about so many numbers."""
    return Tally(would_buy=max(numbers.values(), default=0), planned=Counter(numbers), cost_planned=7.5)


def test_providers_side_by_side_take_as_long_as_the_slowest(clock: SetClock) -> None:
    slow, fast = provider(clock, "slow", pace=2), provider(clock, "fast", pace=50)

    assert forecast(planned(slow=100, fast=400), [fast, slow]) == Forecast(400, 7.5, 50.0)


def test_the_rate_of_a_batch_provider_is_of_calls(clock: SetClock) -> None:
    many = provider(clock, "many", batch=100, pace=0.5)

    assert forecast(planned(many=201), [many]).time_s == 6.0


def test_without_a_rate_a_usual_one_is_taken_and_named(clock: SetClock) -> None:
    found = forecast(planned(free=50), [provider(clock, "free"), provider(clock, "unasked")])

    assert (found.time_s, found.unpaced) == (50 / USUAL_PACE, ("free",))


def test_answers_that_come_later_take_no_time_that_anybody_could_name(clock: SetClock) -> None:
    by_file = ItgLookup(ItgSettings(), Services(clock))
    alone = forecast(planned(itg=30), [by_file])
    beside = forecast(planned(itg=30, quick=30), [by_file, provider(clock, "quick", pace=3)])

    assert (alone.time_s, alone.later, alone.cost, alone.unpriced) == (None, ("itg",), None, ("itg",))
    assert (beside.time_s, beside.later) == (10.0, ("itg",))


def test_nothing_planned_takes_nothing(clock: SetClock) -> None:
    unpriced = provider(clock, "unpriced", price=None)

    assert forecast(Tally(), [unpriced]) == Forecast()


@pytest.mark.parametrize("caps", [Caps(), Caps(max_lookups=3), Caps(max_per_day=3)])
def test_caps_of_numbers_hold_whatever_a_lookup_costs(clock: SetClock, caps: Caps) -> None:
    refuse_unpriced(caps, [provider(clock, "secret-price", price=None)])


def test_a_price_of_nothing_is_a_price_and_an_unknown_one_is_refused_by_name(clock: SetClock) -> None:
    caps = Caps(max_cost_per_day=5)  # type: ignore[arg-type]  # as exact as a Decimal
    free, unknown = provider(clock, "free", price=0.0), provider(clock, "secret-price", price=None)

    refuse_unpriced(caps, [free])
    with pytest.raises(SettingsError, match="secret-price costs") as refused:
        refuse_unpriced(caps, [free, unknown])

    assert refused.value.code is ErrorCode.PRICE_NOT_KNOWN
    assert refused.value.details["setting"] == "SECRET_PRICE"


def test_a_cost_is_told_with_its_currency_and_never_as_nothing_where_it_is_unknown() -> None:
    assert describe_cost(1234.5, "EUR") == "1,234.50 EUR"
    assert "0" not in describe_cost(None, "EUR")
