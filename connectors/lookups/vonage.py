"""Vonage Identity Insights as the registry finds it: the successor of Number Insight."""

from __future__ import annotations

from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .vonage_settings import NAME, PROFILE, VonageLookupSettings


def _connect(settings: VonageLookupSettings, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .vonage_dialect import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(
    name=NAME,
    settings=VonageLookupSettings,
    configured=lambda settings: bool(settings.application_id and settings.private_key_file),
    connect=_connect,
    profile=PROFILE,
)
"""The provider as the registry finds it."""
