"""The settings of Twilio Lookup."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from ringfence.core.config.addresses import check_address
from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .settings_words import PACE, PRICE

NAME = "twilio"
"""What the provider is called in settings and in the history."""

PROFILE = ProviderProfile(
    title="Twilio Lookup v2",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.LINE_TYPE, Axis.CARRIER, Axis.REASSIGNED}),
    price=0.017,
    note="Line status comes from the network and is as good as that; reassignment is told for US numbers only.",
)
"""What it can tell. The price is that of line status and line type together, an estimate from its list prices."""


class TwilioSettings(BaseModel):
    """The settings ``RINGFENCE_TWILIO__*``. Raises SettingsError for a base URL in clear text to a foreign host.

    ``price`` is what one number costs; Twilio's list prices for line status and line type are an estimate. ``pace`` is
    how many calls a second are allowed. Where ``reassigned_since`` is set, numbers of the United States are asked
    whether they have gone to another person since that day. ``webhook_token`` verifies what Twilio tells, where
    ``auth_token`` is that of an API key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_sid: str | None = None
    auth_token: SecretStr | None = None
    webhook_token: SecretStr | None = None
    base_url: str = "https://lookups.twilio.com"
    price: float | None = Field(0.017, ge=0, allow_inf_nan=False, description=PRICE)
    pace: float | None = Field(None, gt=0, allow_inf_nan=False, description=PACE)
    reassigned_since: date | None = Field(None, description="ask whether US numbers have changed hands since this day")

    @field_validator("base_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        return check_address(value, "RINGFENCE_TWILIO__BASE_URL", "https://lookups.twilio.com")


def is_configured(settings: TwilioSettings) -> bool:
    """Return whether both credentials are set."""
    return bool(settings.account_sid and settings.auth_token and settings.auth_token.get_secret_value())
