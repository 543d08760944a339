"""Caps: which let lookups be bought without asking, and what they allow at a price."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ringfence.core.model.caps import NO_CAPS, CapKind, Caps

RUN = Caps(max_lookups=10, max_cost_per_run=Decimal("0.1"))
BY_THE_DAY = [Caps(max_per_day=0), Caps(max_cost_per_day=Decimal(5))]


@pytest.mark.parametrize("agreed", [False, True])
@pytest.mark.parametrize("caps", [NO_CAPS, RUN, *BY_THE_DAY])
def test_where_nobody_is_there_only_a_cap_of_the_day_lets_lookups_be_bought(caps: Caps, agreed: bool) -> None:
    assert caps.may_buy(agreed=agreed, unattended=True) is (caps in BY_THE_DAY)


@pytest.mark.parametrize(("caps", "asks"), [(NO_CAPS, True), (RUN, False), *((each, False) for each in BY_THE_DAY)])
def test_a_person_is_asked_where_no_cap_is_set_and_nobody_has_agreed(caps: Caps, asks: bool) -> None:
    assert caps.may_buy(agreed=False, unattended=False) is not asks
    assert caps.may_buy(agreed=True, unattended=False)


@pytest.mark.parametrize(
    ("caps", "price", "allowance"),
    [
        (NO_CAPS, 0.017, None),
        (RUN, 0.017, (5, CapKind.RUN_COST)),
        (RUN, 0.001, (10, CapKind.RUN_LOOKUPS)),
        (RUN, 0.0, (10, CapKind.RUN_LOOKUPS)),
        (Caps(max_cost_per_run=Decimal(1)), 0.0, None),
        (Caps(max_cost_per_day=Decimal("0.3")), 0.1, (3, CapKind.DAY_COST)),
    ],
)
def test_the_tightest_cap_counts(caps: Caps, price: float, allowance: tuple[int, CapKind] | None) -> None:
    assert caps.allowance(price) == allowance
