"""The settings of Infobip Number Lookup, and what it can tell."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .provider_settings import ProviderSettings

NAME = "infobip"
BATCH = 1000
"""Numbers in one call (Infobip's API reference, number lookup)."""

PROFILE = ProviderProfile(
    title="Infobip Number Lookup",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.CARRIER, Axis.PORTED}),
    batch=BATCH,
    note="It asks the mobile network itself; what it can reach depends on the package. Landlines it cannot tell.",
)


class InfobipSettings(ProviderSettings):
    """The settings ``RINGFENCE_INFOBIP__*``; the address is the account's own, as Infobip shows it."""

    variable: ClassVar[str] = "RINGFENCE_INFOBIP"
    usual: ClassVar[str] = "https://api.infobip.com"

    api_key: SecretStr | None = Field(None, description="API key")
    base_url: str = Field(usual, description="address of the API, the account's own")
