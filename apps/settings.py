"""Settings from the environment and ``.env`` (docs/contract.md, section 3). The only reader of the environment.

Connectors bring their own settings: each plugin's model is nested under its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import SettingsError
from ringfence.core.numbers.regions import read_region

from .credentials import refuse_unprintable, warn_of_open_keys, warn_of_redirection
from .env_file import ENV_FILE, EnvFileSource, read_variables
from .registry import crm_plugins, lookup_plugins

PREFIX = "RINGFENCE_"
LOG = f"{PREFIX}LOG"


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class LookupSettings(BaseModel):
    """The lookup providers in their order, and how many lookups a run may buy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: list[str] = Field(default_factory=list, description="JSON list, tried in order; empty: offline only")
    max_lookups: int | None = Field(None, ge=0, description="hard cap of paid lookups in one run")
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="currency of the providers' prices")


class _Environment(BaseSettings):
    """What is set apart from the connectors; empty variables count as unset."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="ignore"
    )

    state_url: str = "sqlite:///ringfence.db"
    encryption_key: SecretStr | None = None
    default_region: str | None = None
    policy: str = "standard"
    mappings: Path | None = None
    lookup: LookupSettings = Field(default_factory=LookupSettings)
    log: LogFormat = LogFormat.TEXT

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic hands all of them over
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings stand, the first one first: the environment, then ``.env`` as this package reads it."""
        return env_settings, EnvFileSource(settings_cls, ENV_FILE)

    @field_validator("default_region")
    @classmethod
    def _known_region(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 2 or read_region(value) != value.upper()):
            raise ValueError("it is no ISO 3166 region code such as US")
        return value.upper() if value else None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set.

    ``state_url`` is an SQLAlchemy URL; ``encryption_key`` is base64 of 32 bytes; ``default_region`` is an ISO 3166
    code; ``policy`` is a preset name or a file; ``mappings`` is a folder. ``connectors`` holds the own settings of each
    CRM and provider by its name.
    """

    state_url: str
    encryption_key: str | None
    default_region: str | None
    policy: str
    mappings: Path | None
    lookup: LookupSettings
    log: LogFormat
    connectors: Mapping[str, BaseModel]

    def secrets(self) -> list[str]:
        """Return every value that must not be shown: the encryption key, the state's password, connectors' tokens."""
        values = (getattr(model, name) for model in self.connectors.values() for name in type(model).model_fields)
        secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        ours = (self.encryption_key, _find_password(self.state_url))
        return [*secrets, *(secret for secret in ours if secret)]


def _find_password(url: str) -> str | None:
    """Return the password in the address of a state store; None where there is none, or the address is none."""
    try:
        return urlsplit(url).password
    except ValueError:
        return None


def load_settings() -> Settings:
    """Return the settings. Raises SettingsError that names the variable and never its value."""
    plugins = _plugin_settings()
    models: dict[str, type[BaseModel]] = {PREFIX: _Environment, f"{PREFIX}LOOKUP__": LookupSettings}
    models |= {f"{PREFIX}{name}__": model for name, model in plugins.items()}
    _refuse_unknown(known_variables())
    refuse_unprintable(_present(), models)
    warn_of_redirection(read_variables(), os.environ, models)
    found = _read_environment(plugins)
    connectors = {name: getattr(found, name) for name in plugins}
    warn_of_open_keys(connectors)

    return Settings(
        state_url=found.state_url,
        encryption_key=found.encryption_key.get_secret_value() if found.encryption_key else None,
        default_region=found.default_region,
        policy=found.policy,
        mappings=found.mappings,
        lookup=found.lookup,
        log=found.log,
        connectors=connectors,
    )


def _read_environment(plugins: Mapping[str, type[BaseModel]]) -> Any:
    """Return the settings as one model with a field for each plugin, which is made from what is installed."""
    fields: dict[str, Any] = {name: (model, Field(default_factory=model)) for name, model in plugins.items()}
    model = create_model("Environment", __base__=_Environment, **fields)

    try:
        return model()
    except ValidationError as error:
        raise SettingsError(f"A setting is wrong: {'; '.join(_explain(error))}.", "Correct it and run again.") from None
    except SourceError as error:
        # Raised for a list or object that is not JSON; its text names the field but may hold the value.
        field = str(error).partition('"')[2].partition('"')[0].upper()
        wrong = " and ".join(_find_malformed_lists(f"{PREFIX}{field}")) or f"{PREFIX}{field}*"
        raise SettingsError(
            f"{wrong} is not JSON.", 'A list looks like ["twilio"], quotes and brackets included.'
        ) from None


def read_log_format() -> LogFormat:
    """Return how log lines look, for what is logged before the settings are loaded.

    A value that is none gives text here; :func:`load_settings` refuses it.
    """
    try:
        present = {**read_variables(quietly=True), **os.environ}
        values = {name.upper(): value for name, value in present.items()}
        return LogFormat(values.get(LOG) or LogFormat.TEXT)
    except (SettingsError, ValueError):  # the file cannot be read, or the value is none: said by load_settings
        return LogFormat.TEXT


def known_variables() -> list[str]:
    """Return the name of every variable that is read."""
    names = []

    for field in _Environment.model_fields:
        if field == "lookup":
            names += [f"{PREFIX}LOOKUP__{name.upper()}" for name in LookupSettings.model_fields]
        else:
            names.append(f"{PREFIX}{field.upper()}")

    for name, model in _plugin_settings().items():
        names += [f"{PREFIX}{name.upper()}__{field.upper()}" for field in model.model_fields]
    return names


def _plugin_settings() -> dict[str, type[BaseModel]]:
    crms = {name: plugin.settings for name, plugin in crm_plugins().items()}
    return crms | {name: plugin.settings for name, plugin in lookup_plugins().items()}


def _present() -> Mapping[str, str | None]:
    """Return every variable of the environment and of ``.env``, where the environment wins. Raises SettingsError."""
    return {**read_variables(), **os.environ}


def _find_malformed_lists(prefix: str) -> Iterable[str]:
    """Yield the variables under the prefix that have to be JSON lists and are no JSON."""
    models: dict[str, type[BaseModel]] = {"lookup": LookupSettings, **_plugin_settings()}
    lists = set()
    for name, model in models.items():
        fields = [field for field, info in model.model_fields.items() if get_origin(info.annotation) is list]
        lists |= {f"{PREFIX}{name}__{field}".upper() for field in fields}

    for name, value in _present().items():
        if name.upper() in lists and name.upper().startswith(prefix):
            try:
                json.loads(value or "")
            except ValueError:
                yield name


def _refuse_unknown(known: Iterable[str]) -> None:
    """Raise SettingsError for the first variable under our prefix that nobody reads: it is probably mistyped."""
    names = set(known)

    for name in _present():
        if name.upper().startswith(PREFIX) and name.upper() not in names:
            raise SettingsError(
                f"There is no setting {name}{did_you_mean(name.upper(), names)}.", "Remove or rename it."
            )


def _explain(error: ValidationError) -> Iterable[str]:
    """Yield ``VARIABLE: what is wrong`` for each problem, without the value."""
    for item in error.errors():
        variable = PREFIX + "__".join(str(part) for part in item["loc"][:2]).upper()
        yield f"{variable}: {item['msg'].removeprefix('Value error, ')}"
