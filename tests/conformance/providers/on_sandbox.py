"""The providers that the sandbox plays under paths of their own: one harness for all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ringfence.apps.registry import group_of, lookup_plugins
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services
from ringfence.sandbox.lookups.state import LookupAccounts
from ringfence.sandbox.server import Sandbox
from testkit.clock import SetClock

from ..harness import ProviderHarness

NEVER_DEAD = ("abstract", "melissa", "vonage")
"""Providers that have no word for a line that is out of service."""


class SandboxProviderHarness(ProviderHarness):
    """A provider of the sandbox, by its name."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.name = name  # type: ignore[misc]  # one harness for many
        self.clock = SetClock()
        self.clock.time = datetime.now(UTC)  # tokens of applications are checked by the real time

    @property
    def accounts(self) -> LookupAccounts:
        """The accounts at all providers."""
        accounts: LookupAccounts = self.sandbox.lookups
        return accounts

    def settings(self) -> dict[str, Any]:
        """Return the provider's settings, by field name."""
        fields = lookup_plugins()[self.name].settings.model_fields
        prefix = f"RINGFENCE_{group_of(self.name).upper()}__"
        given = {name.removeprefix(prefix).lower(): value for name, value in self.sandbox.settings().items()}
        return {name: given[name] for name in fields if name in given}

    def connect(self, *, bad_token: bool = False) -> Lookup:
        plugin, settings = lookup_plugins()[self.name], self.settings()
        if bad_token:
            # Which application or account it is may be a part of the address; the last one is the secret.
            secret = [name for name in settings if name not in ("base_url", "private_key_file")][-1]
            settings[secret] = "not-a-token"
        lookup = plugin.connect(plugin.settings(**settings), Services(self.clock))
        self.opened.append(lookup)
        return lookup

    def sent(self) -> list[str]:
        return list(self.accounts.billed_by(self.name).elements())

    def disconnect(self, e164: str) -> None:
        self.accounts.answers[e164] = {"line": "disconnected"}
