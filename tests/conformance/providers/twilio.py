"""Twilio Lookup, as the sandbox plays it."""

from __future__ import annotations

from ringfence.apps.registry import lookup_plugins
from ringfence.core.clock import SystemClock
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services
from ringfence.sandbox.server import Sandbox

from ..harness import ProviderHarness, read_settings


class TwilioHarness(ProviderHarness):
    name = "twilio"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox

    def connect(self, *, bad_token: bool = False) -> Lookup:
        plugin = lookup_plugins()[self.name]
        settings = read_settings(self.sandbox, self.name)
        if bad_token:
            settings["auth_token"] = "not-a-token"

        lookup = plugin.connect(plugin.settings(**settings), Services(SystemClock()))
        self.opened.append(lookup)
        return lookup

    def sent(self) -> list[str]:
        return list(self.sandbox.twilio.billed.elements())

    def disconnect(self, e164: str) -> None:
        self.sandbox.twilio.answers[e164] = {"line_status": {"status": "inactive", "error_code": None}}


HARNESS = TwilioHarness
