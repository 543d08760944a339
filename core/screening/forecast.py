"""What the lookups that a run would buy would cost, and how long they would take at the allowed rates. All is pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from ..ports.lookup import Lookup, OrderingLookup
from .gateway import Tally

USUAL_PACE = 10.0
"""Calls a second that are taken for a provider without an allowed rate: most answer about eight questions at a time."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What so many ``lookups`` (numbers) would take at most, each asked of every provider on its way.

    ``cost`` is in the currency of the settings, None where the price of one of the providers is not known; those are
    ``unpriced``. ``time_s`` is in seconds, None where nothing is answered while a run waits: providers work side by
    side, so it is the slowest one's. ``unpaced`` are those without an allowed rate, for whom :data:`USUAL_PACE` stands,
    and ``later`` those whose answers come after the run.
    """

    lookups: int = 0
    cost: float | None = 0.0
    time_s: float | None = 0.0
    unpriced: tuple[str, ...] = ()
    unpaced: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, by the keys of docs/contract.md, section 4."""
        return {
            "lookups_planned": self.lookups,
            "cost_planned": self.cost,
            "time_planned_s": self.time_s,
            "unpriced": list(self.unpriced),
            "unpaced": list(self.unpaced),
            "answers_later": list(self.later),
        }


def forecast(tally: Tally, lookups: Sequence[Lookup]) -> Forecast:
    """Return what the lookups that were counted as planned would take, at these providers."""
    asked = [each for each in lookups if tally.planned.get(each.name)]
    unpriced = tuple(each.name for each in asked if each.price is None)
    at_once = [each for each in asked if not isinstance(each, OrderingLookup)]
    return Forecast(
        tally.would_buy,
        None if unpriced else tally.cost_planned,
        _time_of(at_once, tally.planned) if at_once or not asked else None,
        unpriced,
        tuple(each.name for each in at_once if each.pace is None),
        tuple(each.name for each in asked if isinstance(each, OrderingLookup)),
    )


def _time_of(lookups: Sequence[Lookup], planned: Mapping[str, int]) -> float:
    """Return how many seconds the slowest of the providers needs; its rate is of calls, which take many numbers."""
    calls = ((ceil(planned[each.name] / each.profile.batch), each.pace or USUAL_PACE) for each in lookups)
    return round(max((count / pace for count, pace in calls), default=0.0), 1)
