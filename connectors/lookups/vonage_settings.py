"""The settings of Vonage Identity Insights, and what it can tell."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .provider_settings import ProviderSettings

NAME = "vonage"

PROFILE = ProviderProfile(
    title="Vonage Identity Insights",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.LINE_TYPE, Axis.CARRIER, Axis.PORTED}),
    note=(
        "Valid means the format alone, and ported is inferred from two carriers. Whether a line is reachable needs the "
        "approval of the mobile operators."
    ),
)


class VonageLookupSettings(ProviderSettings):
    """The settings ``RINGFENCE_VONAGE__*`` of Identity Insights: an application and its private key.

    ``reachability`` tells whether the state of the line is asked for, which needs an approval.
    """

    variable: ClassVar[str] = "RINGFENCE_VONAGE"
    usual: ClassVar[str] = "https://api.nexmo.com"

    application_id: str | None = Field(None, description="id of the application")
    private_key_file: Path | None = Field(None, description="PEM file with the application's private key")
    reachability: bool = Field(True, description="ask whether the line is reachable; needs the operators' approval")
    base_url: str = Field(usual, description="address of the API")
