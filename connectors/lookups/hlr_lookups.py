"""HLR Lookups (hlr-lookups.com) as the registry finds it."""

from __future__ import annotations

from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .hlr_lookups_settings import NAME, PROFILE, HlrLookupsSettings
from .provider_settings import reveal


def _connect(settings: HlrLookupsSettings, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .hlr_lookups_dialect import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(
    name=NAME,
    settings=HlrLookupsSettings,
    configured=lambda settings: all(reveal(settings.api_key, settings.api_secret)),
    connect=_connect,
    profile=PROFILE,
)
"""The provider as the registry finds it."""
