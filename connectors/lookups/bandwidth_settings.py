"""The settings of Bandwidth's phone number lookup, and what it can tell."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .provider_settings import ProviderSettings

NAME = "bandwidth"
BATCH = 100
"""Numbers in one call that is answered at once (Bandwidth's API description, phone number lookup)."""

PROFILE = ProviderProfile(
    title="Bandwidth Number Lookup",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.LINE_TYPE, Axis.CARRIER}),
    countries=("US", "CA"),
    batch=BATCH,
    note=(
        "Carriers report which numbers they have switched off, where the account has that add-on; without it, valid "
        "means allocated. More than 100 numbers are an order whose answers come later."
    ),
)


class BandwidthSettings(ProviderSettings):
    """The settings ``RINGFENCE_BANDWIDTH__*``."""

    variable: ClassVar[str] = "RINGFENCE_BANDWIDTH"
    usual: ClassVar[str] = "https://api.bandwidth.com"

    account_id: str | None = Field(None, description="id of the account")
    username: str | None = Field(None, description="name of the API user")
    password: SecretStr | None = Field(None, description="password of the API user")
    base_url: str = Field(usual, description="address of the API")
