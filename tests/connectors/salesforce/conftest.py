from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.services import MemoryTokens, Services, TokenStore
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from ..conftest import SandboxClock
from .reads import end

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


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@pytest.fixture
def key_file(key: rsa.RSAPrivateKey, tmp_path: Path) -> Path:
    file = tmp_path / "acme.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form))
    return file


@pytest.fixture
def client(sandbox: Sandbox, org: SalesforceOrg) -> dict[str, Any]:
    return {"login_url": sandbox.salesforce_url, "client_id": org.client_id, "client_secret": org.client_secret}


@pytest.fixture
def bearer(sandbox: Sandbox, org: SalesforceOrg, key: rsa.RSAPrivateKey, key_file: Path) -> dict[str, Any]:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    org.register_public_key(key.public_key().public_bytes(*form))
    return {
        "login_url": sandbox.salesforce_url,
        "client_id": org.client_id,
        "username": org.username,
        "private_key_file": key_file,
        "audience": "https://test.salesforce.com",
    }


@pytest.fixture
def cursor(connect: Connect, sandbox: Sandbox) -> str:
    """Give the cursor of a full read whose rows no later window reaches back to."""
    sandbox.clock.advance(600)
    cursor = end(connect().open_feed({}).changed())
    sandbox.clock.advance(600)
    return cursor
