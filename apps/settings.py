"""Settings from the environment and ``.env`` (docs/contract.md, section 3).

What settings there are stands in ``setting_models``. Those of one account among several are put together in
``accounts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from ringfence.connectors.signals.settings import SignalSettings, TelnyxSettings, VonageSettings
from ringfence.core.errors import SettingsError

from .account_files import list_account_files
from .credentials import warn_of_open_keys, warn_of_redirection
from .env_file import ENV_FILE, Variables, read_variables
from .environment import environment, present_variables
from .log_format import LogFormat
from .registry import group_of
from .review_settings import ReviewSettings
from .setting_models import LookupSettings, check_variables, plugin_settings, read_settings, setting_models
from .web.settings import ServeSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set.

    ``state_url`` is an SQLAlchemy URL; ``encryption_key`` is base64 of 32 bytes, or ``encryption_key_command``
    prints it; ``encryption_key_old`` is the one that a rotation leaves behind; ``default_region`` is an ISO 3166 code;
    ``policy`` is a preset name or a file; ``mappings`` is a folder. ``connectors`` holds the own settings of each
    CRM and provider by its name. ``accounts`` is the folder of the accounts, ``account_files`` holds their files by the
    accounts' names; ``ledger`` names the opt-out ledger of an account that keeps to itself. ``serve`` is for the
    service, ``review`` for the queue, ``signals``, ``vonage`` and ``telnyx`` for those who tell it about numbers.
    """

    state_url: str
    encryption_key: str | None
    encryption_key_command: str | None
    encryption_key_old: str | None
    default_region: str | None
    policy: str
    mappings: Path | None
    lookup: LookupSettings
    log: LogFormat
    connectors: Mapping[str, BaseModel]
    serve: ServeSettings = field(default_factory=ServeSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    signals: SignalSettings = field(default_factory=SignalSettings)
    vonage: VonageSettings = field(default_factory=VonageSettings)
    telnyx: TelnyxSettings = field(default_factory=TelnyxSettings)
    accounts: Path | None = None
    account_files: Mapping[str, Path] = field(default_factory=dict)
    ledger: str | None = None

    def secrets(self) -> list[str]:
        """Return every value that must not be shown: the encryption key, the state's password, connectors' tokens."""
        models = (*self.connectors.values(), self.signals, self.vonage)
        values = (getattr(model, name) for model in models for name in type(model).model_fields)
        secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        ours = (self.encryption_key, self.encryption_key_old, _find_password(self.state_url))
        return [*secrets, *(secret for secret in ours if secret)]


def _refuse_odd_keys(found: Any) -> None:
    """Raise SettingsError where the settings of the encryption key do not fit together."""
    if found.encryption_key and found.encryption_key_command:
        raise SettingsError(
            "RINGFENCE_ENCRYPTION_KEY and RINGFENCE_ENCRYPTION_KEY_COMMAND are both set.", "Leave one of them out."
        )
    if found.encryption_key_old and not (found.encryption_key or found.encryption_key_command):
        raise SettingsError(
            "RINGFENCE_ENCRYPTION_KEY_OLD is set without a new key.",
            "Set RINGFENCE_ENCRYPTION_KEY too, or leave it out: beside an SQLite state the key file has both.",
        )


def _reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _find_password(url: str) -> str | None:
    """Return the password in the address of a state store; None where there is none, or the address is none."""
    try:
        return urlsplit(url).password
    except ValueError:
        return None


def load_settings() -> Settings:
    """Return the settings of the process. Raises SettingsError that names the variable and never its value.

    Of the accounts only the names are read: what is wrong with one keeps no other from its work.
    """
    check_variables({**read_variables(), **environment()})
    warn_of_redirection(read_variables(), environment(), setting_models(), ENV_FILE)
    return build_settings(present_variables())


def build_settings(variables: Variables) -> Settings:
    """Return the settings that the variables say. Raises SettingsError that names the variable and never its value."""
    found = read_settings(variables)
    connectors = {name: getattr(found, group_of(name)) for name in plugin_settings()}
    warn_of_open_keys(connectors)
    _refuse_odd_keys(found)

    return Settings(
        state_url=found.state_url,
        encryption_key=_reveal(found.encryption_key),
        encryption_key_command=found.encryption_key_command,
        encryption_key_old=_reveal(found.encryption_key_old),
        default_region=found.default_region,
        policy=found.policy,
        mappings=found.mappings,
        lookup=found.lookup,
        log=found.log,
        connectors=connectors,
        serve=found.serve,
        review=found.review,
        signals=found.signals,
        vonage=found.vonage,
        telnyx=found.telnyx,
        accounts=found.accounts,
        account_files=list_account_files(found.accounts) if found.accounts else {},
        ledger=found.ledger,
    )
