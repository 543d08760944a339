"""A HubSpot portal on loopback: CRM v3 objects, search, properties and account information."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plugin import SandboxPlugin

if TYPE_CHECKING:
    from ..service import Service


def _load() -> type[Service]:
    # Imported here because servers take a while to import, and every command asks for the name.
    from .service import HubSpotService  # noqa: PLC0415

    return HubSpotService


plugin = SandboxPlugin(
    name="hubspot",
    vendor="HubSpot",
    product="HubSpot",
    role="crm",
    port=8462,
    load=_load,
)

__all__ = ["plugin"]
