"""Every registered CRM and provider in turn, each with its harness."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import pytest

from ringfence.apps.registry import crm_plugins, lookup_plugins
from ringfence.sandbox.lookups.state import VOICES
from ringfence.sandbox.server import Sandbox

from .harness import Harness, ProviderHarness
from .providers.on_sandbox import SandboxProviderHarness


@pytest.fixture(params=sorted({"memory", *crm_plugins()}))
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """Give every registered CRM; one without a harness fails here, so that none escapes."""
    bare = request.node.get_closest_marker("bare") is not None
    yield from _give(f".crms.{request.param}", contacts=0, bare=bare)


BY_FILE = {"itg"}
"""Providers whose answers a person brings in files: tests/apps/test_providers_command.py plays that person."""


@pytest.fixture(params=sorted({"memory", *lookup_plugins()} - BY_FILE))
def provider(request: pytest.FixtureRequest) -> Iterator[ProviderHarness]:
    """Give every registered lookup provider; one without a harness fails here, so that none escapes."""
    if request.param in VOICES:
        with Sandbox(contacts=1, lookups=True) as sandbox:
            harness = SandboxProviderHarness(sandbox, request.param)
            yield harness
            harness.close()
    else:
        yield from _give(f".providers.{request.param}", contacts=1)


def _give(module: str, **options: Any) -> Iterator[Any]:
    kind = import_module(module, __package__).HARNESS

    with ExitStack() as stack:
        made = kind(stack.enter_context(Sandbox(**options))) if kind.needs_sandbox else kind()
        stack.callback(made.close)
        yield made
