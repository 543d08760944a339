"""The settings of those who send signals (docs/contract.md, section 3)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class StopCovers(StrEnum):
    """What an exact STOP to an SMS sender blocks."""

    SMS = "sms"
    ALL = "all"


class SignalSettings(BaseModel):
    """The settings ``RINGFENCE_SIGNALS__*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop_covers: StopCovers = Field(StopCovers.SMS, description="what an exact STOP blocks: sms or all")
    secret: SecretStr | None = Field(None, description="key by which the generic signals of diallers are verified")


class VonageSettings(BaseModel):
    """The settings ``RINGFENCE_VONAGE__*``: ``signature_secret`` verifies what Vonage tells."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signature_secret: SecretStr | None = None


class TelnyxSettings(BaseModel):
    """The settings ``RINGFENCE_TELNYX__*``: ``public_key`` (base64) verifies what Telnyx tells."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    public_key: str | None = None
