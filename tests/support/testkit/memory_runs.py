"""Syncs of a CRM in memory: its mapping, and the providers that say what a test tells them to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ringfence.connectors.memory import MemoryCrm, MemoryLookup, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.ports.services import Clock
from ringfence.core.runs.summary import Summary

PEOPLE = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
    spread_limit: 3
"""
"""People with two phone fields, an opt-out and a low limit for switchboards."""

Sync = Callable[..., Summary]
"""Runs a sync with these options and returns its summary."""


def make_crm(clock: Clock, mapping: str = PEOPLE) -> MemoryCrm:
    """Return an empty CRM in memory with the fields that the mapping names."""
    return MemoryCrm(resolve(parse_mapping(mapping, "test"), companion_name), clock)


class Provider(MemoryLookup):
    """A provider in memory under the short names that the tests use: ``says`` is what it answers, or raises."""

    def __init__(
        self,
        clock: Clock,
        name: str,
        says: dict[str, Mapping[str, Any] | BaseException] | None = None,
        ahead: int = 1,
        on_question: Callable[[str], None] = lambda _number: None,
    ) -> None:
        super().__init__(clock, name, answers=says or {}, in_flight=ahead, before_sending=on_question)
        self.says = self.answers
        self.asked = self.looked_up

    @property
    def on_question(self) -> Callable[[str], None]:
        """What is called with each number before it is sent."""
        return self.before_sending

    @on_question.setter
    def on_question(self, call: Callable[[str], None]) -> None:
        self.before_sending = call


MakeProvider = Callable[..., Provider]
"""Makes a provider by its name and its behaviour."""
