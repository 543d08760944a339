"""The settings of ITG Global Screening, and what it can tell."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .settings_words import PRICE

NAME = "itg"

PROFILE = ProviderProfile(
    title="ITG Global Screening",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE}),
    batch=100_000,
    note=(
        "It has no API: numbers go out and answers come back as files (`ringfence providers export` and `import`). How "
        "it knows what it says it does not tell."
    ),
)


class ItgSettings(BaseModel):
    """The settings ``RINGFENCE_ITG__*``. There are no credentials: a person carries the files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    price: float | None = Field(None, ge=0, allow_inf_nan=False, description=PRICE)
