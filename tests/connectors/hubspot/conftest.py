from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ringfence.connectors.hubspot import plugin
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.connectors.hubspot.settings import HubSpotSettings
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.services import Services
from ringfence.sandbox.hubspot.definitions import Definition
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.server import Sandbox

from ..conftest import SandboxClock

CONTACTS = """
crm: hubspot
objects:
  contacts:
    phones: {phone: {}, mobilephone: {normalize: true}}
    opt_out: {field: rf_do_not_call, true_values: [true]}
    region: {field: country}
    channel: {field: hs_analytics_source}
"""

Connect = Callable[..., HubSpotCrm]


def read_shapes(text: str = CONTACTS, **options: Any) -> Mapping[str, ObjectShape]:
    """Return the shapes of a mapping; options replace keys of the contacts object, as text of YAML."""
    for key, value in options.items():
        text += f"    {key}: {value}\n"
    return resolve(parse_mapping(text, "test"), plugin.companion_name)


@pytest.fixture
def shapes() -> Callable[..., Mapping[str, ObjectShape]]:
    return read_shapes


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(**{"contacts": 450, **getattr(request, "param", {})}) as running:
        yield running


@pytest.fixture
def portal(sandbox: Sandbox) -> HubSpotPortal:
    return sandbox.hubspot


@pytest.fixture
def preferences(portal: HubSpotPortal) -> str:
    """Give contacts a property that holds several values at once, and return its name."""
    name, values = "preferences", ("no_calls", "no_email", "vip")
    options = [{"label": value, "value": value, "displayOrder": 0, "hidden": False} for value in values]
    portal.definitions["contacts"][name] = Definition(
        name, "Preferences", "enumeration", "checkbox", "contactinformation", "2026-01-01T00:00:00Z", options
    )
    return name


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Connect]:
    opened: list[HubSpotCrm] = []

    def connect(text: str = CONTACTS, token: str | None = None, **options: Any) -> HubSpotCrm:
        settings = HubSpotSettings(access_token=token or sandbox.hubspot.access_token, base_url=sandbox.hubspot_url)
        crm = plugin.connect(settings, read_shapes(text, **options), Services(SandboxClock(sandbox)))
        assert isinstance(crm, HubSpotCrm)
        opened.append(crm)
        return crm

    yield connect
    for crm in opened:
        crm.close()


@pytest.fixture
def crm(connect: Connect) -> HubSpotCrm:
    return connect()
