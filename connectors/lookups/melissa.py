"""Melissa Global Phone as the registry finds it."""

from __future__ import annotations

from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .melissa_settings import NAME, PROFILE, MelissaSettings
from .provider_settings import reveal


def _connect(settings: MelissaSettings, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .melissa_dialect import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(
    name=NAME,
    settings=MelissaSettings,
    configured=lambda settings: all(reveal(settings.license_key)),
    connect=_connect,
    profile=PROFILE,
)
"""The provider as the registry finds it."""
