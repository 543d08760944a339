"""Infobip Number Lookup as the registry finds it."""

from __future__ import annotations

from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .infobip_settings import NAME, PROFILE, InfobipSettings
from .provider_settings import reveal


def _connect(settings: InfobipSettings, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .infobip_dialect import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(
    name=NAME,
    settings=InfobipSettings,
    configured=lambda settings: all(reveal(settings.api_key)),
    connect=_connect,
    profile=PROFILE,
)
"""The provider as the registry finds it."""
