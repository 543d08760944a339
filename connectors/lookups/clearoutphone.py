"""ClearoutPhone as the registry finds it."""

from __future__ import annotations

from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .clearoutphone_settings import NAME, PROFILE, ClearoutPhoneSettings
from .provider_settings import reveal


def _connect(settings: ClearoutPhoneSettings, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .clearoutphone_lookup import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(
    name=NAME,
    settings=ClearoutPhoneSettings,
    configured=lambda settings: all(reveal(settings.api_token)),
    connect=_connect,
    profile=PROFILE,
)
"""The provider as the registry finds it."""
