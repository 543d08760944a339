"""Vonage Number Insight as the registry finds it, until Vonage switches it off."""

from __future__ import annotations

import logging

from ringfence.core.errors import SettingsError
from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .provider_settings import reveal
from .vonage_number_insight_settings import ENDS, NAME, PROFILE, NumberInsightSettings

logger = logging.getLogger(__name__)


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
