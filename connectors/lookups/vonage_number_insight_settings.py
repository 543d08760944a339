"""The settings of Vonage Number Insight, and what it can tell."""

from __future__ import annotations

import logging
from datetime import date
from typing import ClassVar

from pydantic import Field, SecretStr

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .provider_settings import ProviderSettings

logger = logging.getLogger(__name__)

NAME = "vonage-number-insight"
ENDS = date(2027, 2, 4)
"""The day on which Vonage switches it off (developer.vonage.com, transition guide)."""

PRICE = 0.04

PROFILE = ProviderProfile(
    title="Vonage Number Insight",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.LINE_TYPE, Axis.CARRIER, Axis.PORTED}),
    price=PRICE,
    note=f"It ends on {ENDS:%Y-%m-%d}; `vonage` is its successor. Reachability is for mobiles, and not in the US.",
)


class NumberInsightSettings(ProviderSettings):
    """The settings ``RINGFENCE_VONAGE_NUMBER_INSIGHT__*``; the price is an estimate."""

    variable: ClassVar[str] = "RINGFENCE_VONAGE_NUMBER_INSIGHT"
    usual: ClassVar[str] = "https://api.nexmo.com"

    api_key: SecretStr | None = Field(None, description="API key")
    api_secret: SecretStr | None = Field(None, description="API secret")
    base_url: str = Field(usual, description="address of the API")
    price: float | None = Field(PRICE, ge=0, allow_inf_nan=False, description="what one number costs")
