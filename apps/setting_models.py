"""Which settings there are: a model for each group, and how variables become values of theirs.

Connectors bring their own: each plugin's model is nested under its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError
from pydantic_settings.sources.utils import parse_env_vars

from ringfence.connectors.signals.settings import SignalSettings, TelnyxSettings, VonageSettings
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import SettingsError
from ringfence.core.model.caps import Caps
from ringfence.core.numbers.regions import read_region

from .credentials import refuse_unprintable
from .env_file import Variables
from .log_format import LogFormat
from .registry import crm_plugins, group_of, lookup_plugins
from .review_settings import ReviewSettings
from .web.settings import ServeSettings

PREFIX = "RINGFENCE_"


class LookupSettings(BaseModel):
    """The lookup providers in their order, and what they may cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: list[str] = Field(default_factory=list, description="JSON list, tried in order; empty: offline only")
    max_lookups: int | None = Field(None, ge=0, description="hard cap of paid lookups in one run")
    max_per_day: int | None = Field(None, ge=0, description="hard cap of paid lookups a day (UTC), all runs together")
    max_cost_per_run: Decimal | None = Field(None, ge=0, description="hard cap of what the lookups of one run cost")
    max_cost_per_day: Decimal | None = Field(None, ge=0, description="hard cap of what the lookups of a day cost")
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="currency of the providers' prices and of the caps")

    def caps(self) -> Caps:
        """Return what holds the cost of lookups down."""
        return Caps(self.max_lookups, self.max_per_day, self.max_cost_per_run, self.max_cost_per_day, self.currency)


_GROUPS: dict[str, type[BaseModel]] = {
    "lookup": LookupSettings,
    "serve": ServeSettings,
    "review": ReviewSettings,
    "signals": SignalSettings,
    "vonage": VonageSettings,
    "telnyx": TelnyxSettings,
}
"""The groups of settings that belong to no CRM and to no lookup provider, by name."""


class _Environment(BaseSettings):
    """What is set apart from the connectors; empty variables count as unset."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="ignore"
    )

    state_url: str = "sqlite:///ringfence.db"
    encryption_key: SecretStr | None = None
    encryption_key_command: str | None = None
    encryption_key_old: SecretStr | None = None
    default_region: str | None = None
    policy: str = "standard"
    mappings: Path | None = None
    accounts: Path | None = None
    ledger: str | None = None
    lookup: LookupSettings = Field(default_factory=LookupSettings)
    serve: ServeSettings = Field(default_factory=ServeSettings)
    review: ReviewSettings = Field(default_factory=ReviewSettings)
    signals: SignalSettings = Field(default_factory=SignalSettings)
    vonage: VonageSettings = Field(default_factory=VonageSettings)
    telnyx: TelnyxSettings = Field(default_factory=TelnyxSettings)
    log: LogFormat = LogFormat.TEXT

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic hands all of them over
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from: whoever makes them says from which variables."""
        return (init_settings,)

    @field_validator("default_region")
    @classmethod
    def _known_region(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 2 or read_region(value) != value.upper()):
            raise ValueError("it is no ISO 3166 region code such as US")
        return value.upper() if value else None


class _VariablesSource(EnvSettingsSource):
    """Reads settings out of variables as pydantic reads those of the environment."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Variables) -> None:
        self._variables = variables
        super().__init__(settings_cls)

    def _load_env_vars(self) -> Variables:
        return parse_env_vars(self._variables, self.case_sensitive, self.env_ignore_empty, self.env_parse_none_str)


def check_variables(variables: Variables) -> None:
    """Raise SettingsError for a variable that nobody reads, or of a value that none can be."""
    _refuse_unknown(known_variables(), variables)
    refuse_unprintable(variables, setting_models())


def read_settings(variables: Variables) -> Any:
    """Return the settings as one model with a field for each plugin, which is made from what is installed."""
    model = _make_model(tuple(plugin_settings().items()))

    try:
        return model(**_VariablesSource(model, variables)())
    except ValidationError as error:
        raise SettingsError(f"A setting is wrong: {'; '.join(_explain(error))}.", "Correct it and run again.") from None
    except SourceError as error:
        # Raised for a list or object that is not JSON; its text names the field but may hold the value.
        field = str(error).partition('"')[2].partition('"')[0].upper()
        wrong = " and ".join(_find_malformed_lists(f"{PREFIX}{field}", variables)) or f"{PREFIX}{field}*"
        raise SettingsError(
            f"{wrong} is not JSON.", 'A list looks like ["twilio"], quotes and brackets included.'
        ) from None


@lru_cache(maxsize=4)
def _make_model(plugins: tuple[tuple[str, type[BaseModel]], ...]) -> type[_Environment]:
    """Return the model of all settings; made once, for forty accounts read theirs by it."""
    fields: dict[str, Any] = {group_of(name): (model, Field(default_factory=model)) for name, model in plugins}
    return create_model("Environment", __base__=_Environment, **fields)


def setting_models() -> Mapping[str, type[BaseModel]]:
    """Return the model of each group of settings, by the prefix under which its fields stand in the environment."""
    return {PREFIX: _Environment} | {f"{PREFIX}{name.upper()}__": model for name, model in _groups().items()}


def known_variables() -> list[str]:
    """Return the name of every variable that is read."""
    names = []

    for field in _Environment.model_fields:
        if field not in _GROUPS:
            names.append(f"{PREFIX}{field.upper()}")

    for name, model in _groups().items():
        names += [f"{PREFIX}{name.upper()}__{field.upper()}" for field in model.model_fields]
    return names


def plugin_settings() -> dict[str, type[BaseModel]]:
    """Return the model of the settings of each CRM and lookup provider, by its name.

    Where somebody both looks numbers up and sends signals, one group of settings is for both.
    """
    crms = {name: plugin.settings for name, plugin in crm_plugins().items()}
    return crms | {name: _of_both(name, plugin.settings) for name, plugin in lookup_plugins().items()}


@lru_cache(maxsize=64)
def _of_both(name: str, own: type[BaseModel]) -> type[BaseModel]:
    group = _GROUPS.get(group_of(name))
    if group is None:
        return own
    words = f"{own.__doc__}\n\n{group.__doc__}"
    model: type[BaseModel] = create_model(own.__name__, __base__=(own, group), __doc__=words)
    return model


def _groups() -> dict[str, type[BaseModel]]:
    return _GROUPS | {group_of(name): model for name, model in plugin_settings().items()}


def _refuse_unknown(known: Iterable[str], variables: Variables) -> None:
    """Raise SettingsError for the first variable under our prefix that nobody reads: it is probably mistyped."""
    names = set(known)

    for name in variables:
        if name.upper().startswith(PREFIX) and name.upper() not in names:
            raise SettingsError(
                f"There is no setting {name}{did_you_mean(name.upper(), names)}.", "Remove or rename it."
            )


def _find_malformed_lists(prefix: str, variables: Variables) -> Iterable[str]:
    """Yield the variables under the prefix that have to be JSON lists and are no JSON."""
    lists = set()
    for name, model in _groups().items():
        fields = [field for field, info in model.model_fields.items() if get_origin(info.annotation) is list]
        lists |= {f"{PREFIX}{name}__{field}".upper() for field in fields}

    for name, value in variables.items():
        if name.upper() in lists and name.upper().startswith(prefix):
            try:
                json.loads(value or "")
            except ValueError:
                yield name


def _explain(error: ValidationError) -> Iterable[str]:
    """Yield ``VARIABLE: what is wrong`` for each problem, without the value."""
    for item in error.errors():
        variable = PREFIX + "__".join(str(part) for part in item["loc"][:2]).upper()
        yield f"{variable}: {item['msg'].removeprefix('Value error, ')}"
