"""A real state store, a CRM in memory to sync, and lookup providers that say what a test tells them to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store, open_store

MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {}}
    opt_out: {field: optout}
    region: {field: country, default: US}
    spread_limit: 3
"""
ACTIVE: Mapping[str, Any] = {"kind": AnswerKind.KNOWN, "valid": True, "line": "active"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty state store on disk."""
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def crm(clock: Any) -> MemoryCrm:
    """Give an empty CRM of people with two phone fields, an opt-out and a low limit for switchboards."""
    return MemoryCrm(resolve(parse_mapping(MAPPING, "test"), companion_name), clock)


@pytest.fixture
def sync(crm: MemoryCrm, store: Store, clock: Any) -> Any:
    """Give a way to run a sync of it; every record that is read has one outcome."""

    def run(**options: Any) -> Summary:
        clock.advance(seconds=10)
        extra = {key: options.pop(key) for key in ("lookups", "max_lookups") if key in options}
        job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock, **extra)
        summary = run_sync(job, SyncOptions(**options))
        for counts in summary.objects.values():
            assert counts.read == counts.skipped_recent + counts.due
            outcomes = counts.written + counts.unchanged + counts.conflicts + counts.failed + counts.deferred
            assert counts.due == outcomes
        return summary

    return run


@dataclass
class Provider:
    """A provider that confirms every number unless ``says`` tells what to answer, or raise, about it.

    It asks about ``ahead`` numbers before it answers the first of them, and answers the last one first.
    """

    clock: Any
    name: str = "first"
    says: dict[str, Any] = field(default_factory=dict)
    ahead: int = 1
    asked: list[str] = field(default_factory=list)
    on_question: Callable[[str], None] = lambda _number: None

    @property
    def realm(self) -> str:
        """Where its answers are kept."""
        return f"{self.name}:host:account"

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """See :class:`ringfence.core.ports.lookup.Lookup`."""
        taken: list[str] = []
        for number in numbers:
            self.asked.append(number)
            self.on_question(number)
            taken.append(number)
            if len(taken) == self.ahead:
                yield from self._answer(taken)
        yield from self._answer(taken)

    def _answer(self, taken: list[str]) -> Iterator[Answer]:
        while taken:
            told = self.says.get(taken[-1], ACTIVE)
            if not isinstance(told, Mapping):
                raise told
            yield Answer(taken.pop(), observed_at=self.clock.now(), **told)

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def make_provider(clock: Any) -> Callable[..., Provider]:
    """Give providers by name and behaviour."""
    return lambda name="first", **behaviour: Provider(clock, name, **behaviour)
