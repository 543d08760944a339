"""The settings of the HubSpot connector."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from ringfence.core.config.addresses import check_address

VARIABLE = "RINGFENCE_HUBSPOT__"
"""Prefix under which the settings stand in the environment (docs/contract.md, section 3)."""


class HubSpotSettings(BaseModel):
    """The settings ``RINGFENCE_HUBSPOT__*``.

    ``access_token`` is a service key or the token of a project app with static authentication. ``client_secret``
    verifies signatures of calls that HubSpot makes to us; with the app's ``client_id`` it also signs in to the
    webhooks journal. Raises SettingsError for a base URL that would send the token in clear text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    access_token: SecretStr | None = None
    base_url: str = "https://api.hubapi.com"
    client_id: str | None = None
    client_secret: SecretStr | None = None

    @field_validator("base_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        return check_address(value, f"{VARIABLE}BASE_URL", "https://api.hubapi.com")

    @property
    def host(self) -> str:
        """Return host and port of the base URL, for messages."""
        return urlsplit(self.base_url).netloc

    @property
    def account(self) -> str:
        """Return what tells the portal and the app from others, for their limits; no token can be read from it."""
        token = self.access_token.get_secret_value() if self.access_token else ""
        return f"hubspot:{self.host}:{hashlib.sha256(token.encode()).hexdigest()[:16]}"


def is_configured(settings: HubSpotSettings) -> bool:
    """Return whether there is a token to log in with."""
    return settings.access_token is not None and bool(settings.access_token.get_secret_value().strip())
