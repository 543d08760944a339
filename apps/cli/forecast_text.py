"""What lookups would cost and how long they would take, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.core.screening.forecast import USUAL_PACE, Forecast
from ringfence.core.screening.prices import describe_cost

from .output import Output
from .phrases import describe_seconds


def say_forecast(output: Output, planned: Forecast, currency: str, cache_hits: int, duplicates: int) -> None:
    """Print how many lookups would be bought, what that takes, and how many numbers go without one."""
    output.say(f"lookups that would be bought: {planned.lookups:,}, {describe_planned(planned, currency)}")
    output.say(f"answered from the cache: {cache_hits:,}; saved as duplicates: {duplicates:,}")
    for gap in list_gaps(planned):
        output.say(gap, style="yellow")


def describe_planned(planned: Forecast, currency: str) -> str:
    """Return the cost and the time: ``for 12.00 USD at most, in about 3 minutes``."""
    cost = "" if planned.unpriced else f", for {describe_cost(planned.cost, currency)} at most"
    time = "" if planned.time_s is None else f", in {describe_seconds(planned.time_s)} at the allowed rates"
    return f"{cost}{time}".removeprefix(", ")


def describe_saved(spending: Mapping[str, Any]) -> str:
    """Return how many lookups a run has saved, and what they would have cost; empty where it has saved none."""
    if not spending.get("saved_lookups"):
        return ""
    cost = describe_cost(spending["saved"], spending["currency"])
    return f"lookups saved by answers on record and duplicates: {spending['saved_lookups']:,}, for {cost}"


def list_gaps(planned: Forecast) -> Iterator[str]:
    """Yield a sentence for each figure that is missing or taken for granted, with the setting that mends it."""
    for name in planned.unpriced:
        yield describe_gap(name)
    if planned.unpaced:
        settings = ", ".join(_variable(name, "PACE") for name in planned.unpaced)
        yield f"No rate is set for {', '.join(planned.unpaced)}: {USUAL_PACE:g} calls a second are taken ({settings})."
    if planned.later:
        yield f"Answers of {', '.join(planned.later)} come later, in a run after that; nobody can say when."


def describe_gap(provider: str) -> str:
    """Return that nobody knows what a provider costs, and the setting that says so."""
    return f"{provider}: price not known: set {_variable(provider, 'PRICE')}"


def _variable(provider: str, setting: str) -> str:
    return f"RINGFENCE_{provider.upper().replace('-', '_')}__{setting}"
