"""The settings of Melissa Global Phone, and what it can tell."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field, SecretStr

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .provider_settings import ProviderSettings

NAME = "melissa"
BATCH = 100
"""Records in one request (Melissa's description of Global Phone)."""

PROFILE = ProviderProfile(
    title="Melissa Global Phone",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.LINE_TYPE, Axis.CARRIER}),
    batch=BATCH,
    note="Format for 230 countries; whether a line is live, and its type, for the US and Canada with Premium only.",
)


class Verify(StrEnum):
    """How hard Melissa looks: in its database, or on the line where its last look is older than 180 days."""

    EXPRESS = "express"
    PREMIUM = "premium"


class MelissaSettings(ProviderSettings):
    """The settings ``RINGFENCE_MELISSA__*``."""

    variable: ClassVar[str] = "RINGFENCE_MELISSA"
    usual: ClassVar[str] = "https://globalphone.melissadata.net"

    license_key: SecretStr | None = Field(None, description="license key")
    verify: Verify = Field(Verify.EXPRESS, description="express: database only; premium: the line too, US and Canada")
    base_url: str = Field(usual, description="address of the API")
