"""How long a verdict stays fresh."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field


class Policy(BaseModel):
    """A screening policy: a verdict younger than ``max_age_days`` is not screened again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_age_days: float = Field(30, gt=0, le=3650, description="Age in days from which a verdict is due again.")

    @cached_property
    def max_age(self) -> timedelta:
        """Return the age from which a verdict is due again."""
        return timedelta(days=self.max_age_days)
