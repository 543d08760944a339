from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.services import MemoryTokens, Services, TokenStore
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from ..conftest import SandboxClock

BOTH = """
crm: salesforce
objects:
  Contact:
    phones: {Phone: {}, MobilePhone: {normalize: true}}
    opt_out: {field: DoNotCall, true_values: [true]}
    region: {field: MailingCountry}
  Lead:
    phones: {Phone: {}, MobilePhone: {}}
    opt_out: {field: DoNotCall, true_values: [true]}
    region: {field: Country}
"""
CONTACTS = BOTH.partition("  Lead:")[0]

Connect = Callable[..., SalesforceCrm]


def read_shapes(text: str = CONTACTS, **options: Any) -> Mapping[str, ObjectShape]:
    """Return the shapes of a mapping; options become keys of its last object, as text of YAML."""
    for key, value in options.items():
        text += f"    {key}: {value}\n"
    return resolve(parse_mapping(text, "test"), plugin.companion_name)


@pytest.fixture
def shapes() -> Callable[..., Mapping[str, ObjectShape]]:
    return read_shapes


@pytest.fixture
def both() -> str:
    return BOTH


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(**{"contacts": 60, **getattr(request, "param", {})}) as running:
        yield running


@pytest.fixture
def org(sandbox: Sandbox) -> SalesforceOrg:
    return sandbox.salesforce


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Connect]:
    opened: list[SalesforceCrm] = []

    def connect(
        text: str = CONTACTS,
        *,
        settings: dict[str, Any] | None = None,
        clock: Any = None,
        tokens: TokenStore | None = None,
        **options: Any,
    ) -> SalesforceCrm:
        org = sandbox.salesforce
        direct = {"instance_url": sandbox.salesforce_url, "access_token": org.access_token}
        services = Services(clock or SandboxClock(sandbox), tokens or MemoryTokens())
        crm = plugin.connect(SalesforceSettings(**(settings or direct)), read_shapes(text, **options), services)
        assert isinstance(crm, SalesforceCrm)
        opened.append(crm)
        return crm

    yield connect
    for crm in opened:
        crm.close()


@pytest.fixture
def crm(connect: Connect) -> SalesforceCrm:
    return connect()
