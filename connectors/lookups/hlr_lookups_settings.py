"""The settings of HLR Lookups (hlr-lookups.com), and what it can tell."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .provider_settings import ProviderSettings

NAME = "hlr-lookups"
PRICE = 0.01
"""What the published examples of answers name; they do not say in which currency."""

PROFILE = ProviderProfile(
    title="HLR Lookups",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.CARRIER, Axis.PORTED}),
    price=PRICE,
    note="It asks the home register of mobile numbers, everywhere; a landline it cannot tell, and bills all the same.",
)


class HlrLookupsSettings(ProviderSettings):
    """The settings ``RINGFENCE_HLR_LOOKUPS__*``."""

    variable: ClassVar[str] = "RINGFENCE_HLR_LOOKUPS"
    usual: ClassVar[str] = "https://www.hlr-lookups.com"

    api_key: SecretStr | None = Field(None, description="API key")
    api_secret: SecretStr | None = Field(None, description="API secret")
    base_url: str = Field(usual, description="address of the API")
    price: float | None = Field(PRICE, ge=0, allow_inf_nan=False, description="what one number costs")
    currency: str | None = Field(
        None, pattern="^[A-Z]{3}$", description="currency of the account, in which its answers name their cost"
    )
