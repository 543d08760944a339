"""The settings of the review queue (docs/contract.md, section 3)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ReviewSettings(BaseModel):
    """The settings ``RINGFENCE_REVIEW__*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    four_eyes: bool = Field(False, description="whether two different people have to lift an opt-out of the queue")
