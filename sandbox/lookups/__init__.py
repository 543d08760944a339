"""Lookup providers on loopback, one account each, under a path of their own: `/infobip`, `/vonage` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plugin import SandboxPlugin

if TYPE_CHECKING:
    from ..service import Service


def _load() -> type[Service]:
    # Imported here because servers take a while to import, and every command asks for the name.
    from .service import LookupsService  # noqa: PLC0415

    return LookupsService


plugin = SandboxPlugin(
    name="lookups",
    vendor="lookup providers",
    product="lookup providers other than Twilio",
    role="lookups",
    port=8464,
    load=_load,
)

__all__ = ["plugin"]
