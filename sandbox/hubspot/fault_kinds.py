"""What a faults file can say about HubSpot alone: its section of settings, and kinds of faults of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..fault_kinds import Fault
from ..faults import ServiceSettings


class HubSpotSettings(ServiceSettings):
    """HubSpot: limits, search index, and what its documentation leaves open. What is left out stays as it is."""

    search_lag_s: float | None = Field(None, ge=0, le=3_600)
    invalid_value: Literal["whole", "row"] | None = Field(None, description="What one bad value refuses.")
    noop_bumps: bool | None = Field(None, description="A write that changes nothing moves the modification time.")
    daily_limit: int | None = Field(None, ge=0)
    calls_per_ten_s: int | None = Field(None, ge=1)
    searches_per_s: int | None = Field(None, ge=1)
    retry_after: int | None = Field(None, ge=0, description="Seconds that its 429 answers name; none by default.")


class DisorderResults(Fault):
    """A search gives its rows out of order: each is moved within a block of so many rows, across pages."""

    kind: Literal["disorder_results"]
    block: int = Field(500, ge=2)


class MisstateTotal(Fault):
    """`total` of a search is wrong by so many."""

    kind: Literal["misstate_total"]
    by: int


class FoldErrors(Fault):
    """The errors of a 207 are folded into one, without trace ids: `numErrors` is 1, whatever the number of rows."""

    kind: Literal["fold_errors"]
    kept: int | None = Field(None, ge=0, description="How many ids it names; all by default.")


PORTAL_FAULTS = (DisorderResults, MisstateTotal, FoldErrors)
"""The kinds of faults that only a HubSpot portal has."""
