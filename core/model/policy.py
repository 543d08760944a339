"""How long a verdict stays fresh, and which lookup providers are asked about which number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..numbers import LineType
from ..numbers.plans.numbering_plan import REGIONS
from .axes import Axis, Evidence

CHEAPEST = "cheapest"
"""In the place of a list of providers: those that tell what is needed, the cheapest one first."""

DEFAULT_ROUTE = "default"
"""The key of the providers for all numbers that no other key of a routing names."""

Route = Annotated[tuple[str, ...], Field(min_length=1)] | Literal["cheapest"]


class UnreachableRule(BaseModel):
    """When a line that lookups do not reach is put before a person: so many tries in a row, spread over these days.

    A phone that is off for a week is no dead number: so the tries count only with time between the first and the last.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    times: int = Field(3, ge=1, le=100, description="How many lookups in a row have not reached the line.")
    over_days: float = Field(14, ge=0, le=3650, description="Days that lie between the first of them and the last.")


class Policy(BaseModel):
    """A screening policy: a verdict younger than ``max_age_days`` is not screened again.

    ``routing`` names the providers by line type, region, axis or ``default``, ``checks`` what is to be known of a
    number before no further provider is asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_age_days: float = Field(30, gt=0, le=3650, description="Age in days from which a verdict is due again.")
    routing: Mapping[str, Route] = Field(
        default_factory=dict,
        description="Line type, region, axis or `default` -> providers in the order in which they are asked, "
        "or `cheapest`. Without a key that fits, the order of RINGFENCE_LOOKUP__PROVIDERS.",
    )
    checks: tuple[Axis, ...] = Field(
        (Axis.LINE_STATE,),
        description="What is to be known of a number: providers are asked in turn until one has told each of these.",
    )
    second_opinion: bool = Field(
        False,
        description="Whether a further provider is asked where two live answers of one day contradict each other.",
    )

    unreachable: UnreachableRule = Field(
        default_factory=UnreachableRule,
        description="When a number that lookups do not reach goes to review. It stays unreachable.",
    )
    likely: Evidence = Field(
        Evidence.STATISTICAL,
        description="The weakest evidence by which a likely state of the line counts, from `vendor_asserted` on.",
    )

    @field_validator("likely")
    @classmethod
    def _is_about_lines(cls, likely: Evidence) -> Evidence:
        if likely.strength < Evidence.VENDOR_ASSERTED.strength:
            raise ValueError(f"{likely.value!r} tells nothing of a line: `vendor_asserted` is the weakest that does")
        return likely

    @field_validator("routing")
    @classmethod
    def _knows_its_keys(cls, routing: Mapping[str, Route]) -> Mapping[str, Route]:
        known = {*LineType, *Axis, *REGIONS, DEFAULT_ROUTE}
        for key in routing:
            if key not in known:
                raise ValueError(
                    f"{key!r} is no line type such as mobile, no region such as US, no axis such as reassigned, "
                    f"and not {DEFAULT_ROUTE!r}"
                )
        return routing

    @cached_property
    def max_age(self) -> timedelta:
        """Return the age from which a verdict is due again."""
        return timedelta(days=self.max_age_days)
