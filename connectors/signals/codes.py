"""What a vendor means by its codes and words: from ``codes.yaml``, which comes with ringfence."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ringfence.core.model.signals import OptOutWord, Outcome


class Meaning(BaseModel):
    """What one code means; ``stop`` tells that the recipient refuses messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome
    means: str
    stop: bool = False
    unverified: bool = Field(False, description="The vendor's own page was not at hand.")

    @property
    def word(self) -> OptOutWord | None:
        """Return what the recipient asked for by it, if anything."""
        return OptOutWord.STOP if self.stop else None


class VendorCodes(BaseModel):
    """A vendor's final statuses by its own words, and its codes. What is no final status tells nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    statuses: dict[str, Outcome]
    codes: dict[str, Meaning]

    def read(self, status: str, code: str) -> Meaning | None:
        """Return what a report says; None for one that is not the last, and tells nothing yet.

        A message that has arrived has arrived, whatever code comes along.
        """
        outcome = self.statuses.get(status)
        if outcome is None:
            return None
        told = self.codes.get(code)
        if outcome is Outcome.DELIVERED or told is None or told.outcome is Outcome.DELIVERED:
            return Meaning(outcome=outcome, means=status)
        return told


@cache
def codes_of(vendor: str) -> VendorCodes:
    """Return the codes of a vendor that ``codes.yaml`` names."""
    return _read()[vendor]


@cache
def _read() -> Mapping[str, VendorCodes]:
    text = resources.files("ringfence.connectors.signals").joinpath("codes.yaml").read_text("utf-8")
    return {name: VendorCodes.model_validate(each) for name, each in yaml.safe_load(text).items()}
