"""What the conformance suites need of a CRM or a provider: how a test plays the people and the service behind it.

A registered connector has a module of its own in ``crms/`` or ``providers/``, under its own name and with its harness
as ``HARNESS``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import requests

from ringfence.apps.registry import crm_plugins
from ringfence.core.clock import SystemClock
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion
from ringfence.core.ports.crm import Crm
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services
from ringfence.sandbox.server import Sandbox


class Harness(ABC):
    """A CRM account to test against. ``roles`` names its fields: phone, mobile, opt_out, country and perhaps name."""

    name: ClassVar[str]
    object: ClassVar[str]
    roles: ClassVar[Mapping[str, str]]
    needs_sandbox: ClassVar[bool] = True

    def __init__(self) -> None:
        self.opened: list[Crm] = []

    def mapping(self, **extra: str) -> str:
        """Return the mapping as YAML; ``flag`` is another opt-out field, the rest become keys of the object."""
        lines = [
            f"crm: {self.name}",
            "objects:",
            f"  {self.object}:",
            f"    phones: {{{self.roles['phone']}: {{}}, {self.roles['mobile']}: {{normalize: true}}}}",
            f"    opt_out: {{field: {extra.pop('flag', self.roles['opt_out'])}}}",
            f"    region: {{field: {self.roles['country']}}}",
            *(f"    {key}: {value}" for key, value in extra.items()),
        ]
        return "\n".join(lines)

    def shapes(self, **extra: str) -> dict[str, ObjectShape]:
        """Return the shapes of the mapping by object name."""
        return resolve(parse_mapping(self.mapping(**extra), "test"), self.companion_namer())

    def companion_namer(self) -> Callable[[str, Companion], str]:
        """Return what names the companions of a slot."""
        return crm_plugins()[self.name].companion_name

    @abstractmethod
    def connect(self, *, bad_token: bool = False, **extra: str) -> Crm:
        """Return a connector under the mapping; ``extra`` is as in :meth:`mapping`."""

    @abstractmethod
    def create(self, count: int = 1, **roles: Any) -> list[str]:
        """Create records with the values of the roles, and return their ids."""

    @abstractmethod
    def edit(self, record_id: str, **roles: Any) -> None:
        """Edit a record as a person would."""

    @abstractmethod
    def delete(self, record_id: str) -> None:
        """Delete a record as a person would."""

    @abstractmethod
    def merge(self, winner: str, loser: str) -> str:
        """Merge two records and return the id of the survivor."""

    @abstractmethod
    def pass_time(self, **units: float) -> None:
        """Move the time of the account on."""

    @abstractmethod
    def filter_for(self, country: str) -> str:
        """Return the filter for records of a country, as YAML."""

    def same_instant(self, ids: list[str]) -> None:
        """Give the records one modification time, where creating them together does not."""
        assert ids

    def bare(self) -> None:
        """Remove the companion fields, where the account does not start without them."""
        assert self.name

    def close(self) -> None:
        """Close every connector that was opened."""
        for crm in self.opened:
            crm.close()


class HttpHarness(Harness):
    """A sandbox service with no people in it, reached through the real client library."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.clock = SystemClock()

    def connect(self, *, bad_token: bool = False, **extra: str) -> Crm:
        plugin = crm_plugins()[self.name]
        settings = read_settings(self.sandbox, self.name)
        if bad_token:
            settings["access_token"] = "pat-na1-not-a-token"

        crm = plugin.connect(plugin.settings(**settings), self.shapes(**extra), Services(self.clock))
        self.opened.append(crm)
        return crm

    def pass_time(self, **units: float) -> None:
        self.sandbox.clock.advance(timedelta(**units).total_seconds())

    def call(self, method: str, url: str, body: Any) -> Any:
        """Make a request to the service as a person's tool would, and return the JSON of the answer."""
        token = self.sandbox.settings()[f"RINGFENCE_{self.name.upper()}__ACCESS_TOKEN"]
        answer = requests.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.ok, answer.text

        return answer.json() if answer.content else None

    def values(self, roles: dict[str, Any]) -> dict[str, Any]:
        """Return the values by field name."""
        return {self.roles[role]: value for role, value in roles.items()}


class ProviderHarness(ABC):
    """A lookup provider to test against, and the service behind it."""

    name: ClassVar[str]
    needs_credentials: ClassVar[bool] = True
    needs_sandbox: ClassVar[bool] = True

    def __init__(self) -> None:
        self.opened: list[Lookup] = []

    @abstractmethod
    def connect(self, *, bad_token: bool = False) -> Lookup:
        """Return a connector to the provider."""

    @abstractmethod
    def sent(self) -> list[str]:
        """Return the E.164 numbers that reached the provider, one entry for each time."""

    @abstractmethod
    def disconnect(self, e164: str) -> None:
        """Let the provider answer that the line is out of service."""

    def close(self) -> None:
        """Close every connector that was opened."""
        for lookup in self.opened:
            lookup.close()


def read_settings(sandbox: Sandbox, name: str) -> dict[str, Any]:
    """Return the settings of one connector of a sandbox, by field name."""
    prefix = f"RINGFENCE_{name.upper()}__"
    return {
        key.removeprefix(prefix).lower(): value for key, value in sandbox.settings().items() if key.startswith(prefix)
    }
