"""What the settings of all lookup providers have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from ringfence.core.config.addresses import check_address

from .settings_words import PACE, PRICE


class ProviderSettings(BaseModel):
    """The address of the API, the price of one number, and how many calls a second are allowed.

    ``variable`` is where the settings of a provider stand in the environment, ``usual`` its usual address. Raises
    SettingsError for an address in clear text to a foreign host.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    variable: ClassVar[str]
    usual: ClassVar[str]

    base_url: str = Field("", description="address of the API")
    price: float | None = Field(None, ge=0, allow_inf_nan=False, description=PRICE)
    pace: float | None = Field(None, gt=0, allow_inf_nan=False, description=PACE)

    @field_validator("base_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        return check_address(value, f"{cls.variable}__BASE_URL", cls.usual)


def reveal(*secrets: SecretStr | None) -> list[str]:
    """Return credentials in the clear, empty where one is not set."""
    return [secret.get_secret_value() if secret else "" for secret in secrets]
