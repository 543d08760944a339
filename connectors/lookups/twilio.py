"""Twilio Lookup v2 as the registry finds it."""

from __future__ import annotations

from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services

from .twilio_settings import NAME, PROFILE, TwilioSettings, is_configured


def _connect(settings: TwilioSettings, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from .twilio_dialect import connect  # noqa: PLC0415

    return connect(settings, services)


plugin = LookupPlugin(name=NAME, settings=TwilioSettings, configured=is_configured, connect=_connect, profile=PROFILE)
"""The provider as the registry finds it."""
