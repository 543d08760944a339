"""A provider's file as a plugin: its settings, its profile, and its connector."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model, field_validator

from ringfence.core.config.addresses import check_address
from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import Lookup, LookupPlugin, ProviderProfile
from ringfence.core.ports.services import Services

from ..settings_words import PACE, PRICE
from .file import ProviderFile, parse_provider_file
from .request_template import fill

_FOLDER = "providers"

THREADS_OF_BATCHES = 4
"""Calls under way at once where each is about many numbers."""


def read_shipped(name: str) -> LookupPlugin:
    """Return the plugin of a provider whose file is shipped. Raises FileNotFoundError for a name without one."""
    text = resources.files("ringfence.mappings").joinpath(_FOLDER, f"{name}.yaml").read_text("utf-8")
    return make_plugin(parse_provider_file(text, f"{name}.yaml"))


def make_plugin(declared: ProviderFile) -> LookupPlugin:
    """Return the plugin that a provider's file declares."""
    profile = ProviderProfile(
        title=declared.title or declared.name,
        tells=frozenset(_tells(declared)),
        countries=tuple(declared.countries),
        price=declared.price,
        batch=declared.batch,
        pace=declared.pace,
        note=declared.note,
    )
    return LookupPlugin(
        name=declared.name,
        settings=_make_settings(declared),
        configured=lambda settings: all(_reveal(settings, name) for name in declared.credentials),
        connect=lambda settings, services: _connect(declared, profile, settings, services),
        profile=profile,
    )


def _connect(declared: ProviderFile, profile: ProviderProfile, settings: Any, services: Services) -> Lookup:
    # Imported here because the HTTP client takes a while, and most commands buy no lookups.
    from ..exchange import Exchange  # noqa: PLC0415
    from ..http_lookup import HttpLookup, threads_for  # noqa: PLC0415
    from .dialect import DeclaredDialect  # noqa: PLC0415

    secrets = {name: _reveal(settings, name) for name in declared.credentials}
    basic = declared.request.basic
    threads = threads_for(settings.pace) if declared.batch == 1 else THREADS_OF_BATCHES
    exchange = Exchange(
        declared.name,
        profile.title,
        settings.base_url,
        services,
        auth=(fill(basic[0], secrets), fill(basic[1], secrets)) if basic else None,
        pace=settings.pace,
        connections=threads,
    )
    dialect = DeclaredDialect(declared, secrets, at_home=settings.base_url.rstrip("/") == _usual_address(declared))
    return HttpLookup(profile, exchange, dialect, services, price=settings.price, size=declared.batch, threads=threads)


def _make_settings(declared: ProviderFile) -> type[BaseModel]:
    """Return the model of the settings ``RINGFENCE_<NAME>__*`` that the file asks for."""
    variable = f"RINGFENCE_{declared.name.upper().replace('-', '_')}__BASE_URL"
    usual = _usual_address(declared)
    credentials: dict[str, Any] = dict.fromkeys(declared.credentials, (SecretStr | None, None))
    model: type[BaseModel] = create_model(
        f"{declared.name.title().replace('-', '')}Settings",
        __config__=ConfigDict(extra="forbid", frozen=True),
        __doc__=f"The settings of the lookup provider {declared.name}.",
        __validators__={
            "safe_address": field_validator("base_url")(lambda value: check_address(value, variable, usual)),
        },
        base_url=(str, Field(usual, description="address of the API")),
        price=(float | None, Field(declared.price, ge=0, allow_inf_nan=False, description=PRICE)),
        pace=(float | None, Field(declared.pace, gt=0, allow_inf_nan=False, description=PACE)),
        **credentials,
    )
    return model


def _usual_address(declared: ProviderFile) -> str:
    """Return scheme and host of the address that the file names."""
    parts = urlsplit(declared.request.url)
    return f"{parts.scheme}://{parts.netloc}"


def _tells(declared: ProviderFile) -> list[Axis]:
    read = [Axis(name) for name, _, _ in declared.answer.axes()]
    also = {Axis.CARRIER: declared.answer.carrier, Axis.RISK: declared.answer.risk}
    return [*read, *(axis for axis, where in also.items() if where is not None)]


def _reveal(settings: Any, name: str) -> str:
    value = getattr(settings, name)
    return value.get_secret_value() if value is not None else ""


@cache
def _shipped(name: str) -> LookupPlugin:
    return read_shipped(name)


def __getattr__(name: str) -> LookupPlugin:
    """Return the plugin of a shipped file, for its entry point: ``-`` is ``_`` there."""
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return _shipped(name.replace("_", "-"))
    except FileNotFoundError:
        raise AttributeError(name) from None
