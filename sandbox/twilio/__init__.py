"""A Twilio account on loopback, for Lookup v2: `GET /v2/PhoneNumbers/{number}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plugin import SandboxPlugin

if TYPE_CHECKING:
    from ..service import Service


def _load() -> type[Service]:
    # Imported here because servers take a while to import, and every command asks for the name.
    from .service import TwilioService  # noqa: PLC0415

    return TwilioService


plugin = SandboxPlugin(
    name="twilio",
    vendor="Twilio",
    product="Twilio Lookup",
    role="lookup",
    port=8463,
    load=_load,
)

__all__ = ["plugin"]
