"""The settings of the Salesforce connector."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from ringfence.core.config.addresses import check_address
from ringfence.core.errors import SettingsError

from .composite import COLLECTION

VARIABLE = "RINGFENCE_SALESFORCE__"
"""Prefix under which the settings stand in the environment (docs/contract.md, section 3)."""

_VERSION = "65.0"
_RESERVE = 20


class LogIn(StrEnum):
    """The three ways to get a token (salesforce.md, section 1.1; SOAP and passwords are on their way out)."""

    DIRECT = "direct token"
    CLIENT_CREDENTIALS = "OAuth client credentials"
    JWT_BEARER = "JWT bearer"


NEEDED = {
    LogIn.DIRECT: ("instance_url", "access_token"),
    LogIn.CLIENT_CREDENTIALS: ("login_url", "client_id", "client_secret"),
    LogIn.JWT_BEARER: ("login_url", "client_id", "username", "private_key_file"),
}
"""Which settings each way needs; where several are complete the first one is used."""


class SalesforceSettings(BaseModel):
    """The settings ``RINGFENCE_SALESFORCE__*``.

    ``login_url`` is the org's My Domain, or the address of the log-in page where the JWT flow allows it.
    ``audience`` is whom a JWT assertion is made out to; unset, the log-in address tells.
    ``daily_reserve`` is the percentage of the daily API calls that is left to others, ``chunk_size`` how many records
    of an object are written at once. Outbound messages count from the org ``organization_id`` alone, and with
    ``outbound_secret`` in their address. Empty texts count as not set.
    Raises SettingsError for an address that would send a secret in clear text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance_url: str | None = None
    access_token: SecretStr | None = None
    login_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    username: str | None = None
    private_key_file: Path | None = None
    audience: str | None = None
    api_version: str = _VERSION
    daily_reserve: int = Field(_RESERVE, ge=0, le=95)
    chunk_size: int = Field(COLLECTION, ge=1, le=COLLECTION)
    organization_id: str | None = None
    outbound_secret: SecretStr | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("instance_url", "login_url")
    @classmethod
    def _safe(cls, value: str | None, info: Any) -> str | None:
        return None if value is None else check_url(value, f"{VARIABLE}{info.field_name.upper()}")

    @field_validator("api_version", mode="before")
    @classmethod
    def _version(cls, value: Any) -> str:
        text = str(value or "").strip().removeprefix("v") or _VERSION
        if not re.fullmatch(r"\d{2,3}\.0", text):
            raise SettingsError(f"{VARIABLE}API_VERSION is not a version of the API.", "Write it like 65.0.")
        return text

    @field_validator("daily_reserve", "chunk_size", mode="before")
    @classmethod
    def _number(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None or value == "" else value

    @property
    def log_in(self) -> LogIn | None:
        """Return the way whose settings are complete, or None."""
        return next((way for way in LogIn if not self.missing(way)), None)

    def missing(self, way: LogIn) -> list[str]:
        """Return the settings that a way still needs."""
        return [name for name in NEEDED[way] if getattr(self, name) is None]


def is_configured(settings: SalesforceSettings) -> bool:
    """Return whether there is a complete way to log in. Raises SettingsError for half a way, naming what is missing."""
    if settings.log_in is not None:
        return True

    started = [way for way in LogIn if len(settings.missing(way)) < len(NEEDED[way])]
    if not started:
        return False

    nearest = min(started, key=lambda way: len(settings.missing(way)))
    ways = [way for way in started if len(settings.missing(way)) == len(settings.missing(nearest))]
    missing = " or ".join(f"{_variables(settings.missing(way))} ({way})" for way in ways)
    raise SettingsError(f"The Salesforce log-in is incomplete: {missing} is not set.", "Set it, or unset the others.")


def _variables(names: list[str]) -> str:
    return " and ".join(f"{VARIABLE}{name.upper()}" for name in names)


def check_url(value: str, what: str) -> str:
    """Return scheme and host of an address. Raises SettingsError, naming ``what``, where it is none or unsafe."""
    parts = urlsplit(check_address(value, what, "https://acme.my.salesforce.com"))
    return f"{parts.scheme}://{parts.netloc}"
