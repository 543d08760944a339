"""The provider in memory."""

from __future__ import annotations

from ringfence.connectors.memory import MemoryLookup
from ringfence.core.model.answers import AnswerKind
from ringfence.core.numbers import Validity
from ringfence.core.ports.lookup import Lookup
from testkit.clock import SetClock

from ..harness import ProviderHarness


class MemoryProviderHarness(ProviderHarness):
    name = "memory"
    needs_credentials = False
    needs_sandbox = False

    def __init__(self) -> None:
        super().__init__()
        self.lookup = MemoryLookup(SetClock())

    def connect(self, *, bad_token: bool = False) -> Lookup:
        return self.lookup

    def sent(self) -> list[str]:
        return self.lookup.looked_up

    def disconnect(self, e164: str) -> None:
        self.lookup.answers[e164] = {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "disconnected"}


HARNESS = MemoryProviderHarness
