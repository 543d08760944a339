"""Vonage Number Insight as the registry finds it, until Vonage switches it off."""

from __future__ import annotations

import logging
from datetime import date
from typing import ClassVar

from pydantic import Field, SecretStr

from ringfence.core.errors import SettingsError
from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import Lookup, LookupPlugin, ProviderProfile
from ringfence.core.ports.services import Services

from .provider_settings import ProviderSettings, reveal

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
    price: float = Field(PRICE, ge=0, allow_inf_nan=False, description="what one number costs")


def _connect(settings: NumberInsightSettings, services: Services) -> Lookup:
    if services.clock.now().date() >= ENDS:
        raise SettingsError(
            f"Vonage switched Number Insight off on {ENDS:%Y-%m-%d}.",
            "Put `vonage` (Identity Insights) in its place in RINGFENCE_LOOKUP__PROVIDERS, and set "
            "RINGFENCE_VONAGE__APPLICATION_ID and RINGFENCE_VONAGE__PRIVATE_KEY_FILE.",
        )
    logger.warning("Vonage Number Insight ends on %s; its successor is the provider vonage", f"{ENDS:%Y-%m-%d}")

    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .number_insight_dialect import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(
    name=NAME,
    settings=NumberInsightSettings,
    configured=lambda settings: all(reveal(settings.api_key, settings.api_secret)),
    connect=_connect,
    profile=PROFILE,
)
"""The provider as the registry finds it."""
