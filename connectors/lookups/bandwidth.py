"""Bandwidth's phone number lookup as the registry finds it."""

from __future__ import annotations

from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .bandwidth_settings import NAME, PROFILE, BandwidthSettings
from .provider_settings import reveal


def _connect(settings: BandwidthSettings, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .bandwidth_lookup import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(
    name=NAME,
    settings=BandwidthSettings,
    configured=lambda settings: all((settings.account_id, settings.username, *reveal(settings.password))),
    connect=_connect,
    profile=PROFILE,
)
"""The provider as the registry finds it."""
