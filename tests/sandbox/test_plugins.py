"""The stand-ins come from a list: a further one is a folder and its entry point, and nothing else knows it by name."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Literal

import pytest
import requests
from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from ringfence.sandbox import fault_schema, org_schema, plugin
from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.fault_kinds import ANSWER_FAULTS, Fault
from ringfence.sandbox.fault_rules import RequestFacts
from ringfence.sandbox.faults import FaultsError, ServiceSettings
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.plugin import SandboxPlugin, installed_plugins
from ringfence.sandbox.server import Sandbox
from ringfence.sandbox.service import Service, ServiceContext
from ringfence.sandbox.traits import OrgError, Traits
from ringfence.sandbox.twilio.faults import TwilioFaults
from ringfence.sandbox.twilio.state import TwilioAccount

ROOT = Path(__file__).resolve().parents[2]
FILES = {"__init__.py", "app.py", "errors.py", "fault_kinds.py", "faults.py", "service.py", "state.py", "traits.py"}
GENERAL = sorted([*(ROOT / "sandbox").glob("*.py"), ROOT / "apps/cli/sandbox.py", ROOT / "apps/cli/demo.py"])


@pytest.mark.parametrize("name", [each.name for each in installed_plugins()])
def test_every_stand_in_has_the_same_files(name: str) -> None:
    there = {path.name for path in (ROOT / "sandbox" / name).iterdir()}

    assert there >= FILES


def test_the_order_and_the_ports_of_the_services_are_what_users_have_learnt() -> None:
    ports = {each.name: each.port for each in installed_plugins()}

    assert list(ports.items())[:3] == [("salesforce", 8461), ("hubspot", 8462), ("twilio", 8463)]


@pytest.mark.parametrize("path", GENERAL, ids=lambda path: path.name)
def test_what_is_general_names_no_service(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sentences = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    words = [
        str(getattr(node, "id", None) or getattr(node, "module", None) or getattr(node, "value", None))
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.ImportFrom | ast.Constant) and id(node) not in sentences
    ]

    assert [word for word in words for each in installed_plugins() if each.name in word.lower()] == []


class CounterTraits(Traits):
    """The section of the made-up service in an org file."""

    step: int = 1


class CounterSettings(ServiceSettings):
    """The section of the made-up service in a faults file."""

    limit: int | None = Field(None, ge=1)


@dataclass
class CounterState:
    """What the made-up service holds: how many requests came in."""

    lock: RLock
    faults: Any = None
    requests: int = 0


class CounterService(Service):
    """A made-up service, which counts its requests and answers with the number."""

    fault_paths = ("/count",)
    fault_kinds = ANSWER_FAULTS
    fault_settings = CounterSettings
    traits = CounterTraits

    def __init__(self, context: ServiceContext) -> None:
        self.people = len(context.people)
        self.step = context.traits_as(CounterTraits).step
        self._state = CounterState(RLock())

    @property
    def state(self) -> CounterState:
        return self._state

    def app(self) -> Starlette:
        async def count(request: Any) -> Any:
            self._state.requests += 1
            return self._state.faults.answer(RequestFacts("GET", "/count", "other"), self._answer)[0]

        return Starlette(routes=[Route("/count", count)])

    def _answer(self) -> JSONResponse:
        return JSONResponse(self._state.requests)

    def settings(self, url: str) -> dict[str, str]:
        return {"RINGFENCE_COUNTER__URL": url}

    def fault_gate(self, faults: Any) -> Any:
        class CounterFaults(TwilioFaults):
            service = "counter"

            def __init__(self) -> None:
                super(TwilioFaults, self).__init__(faults)
                self._account = TwilioAccount(clock=SandboxClock(), seed=1)

        return CounterFaults()


@dataclass
class EntryPoint:
    """What an installed distribution would register."""

    plugin: SandboxPlugin

    def load(self) -> SandboxPlugin:
        return self.plugin


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxPlugin]:
    """Install the made-up service beside the others."""
    added = SandboxPlugin("counter", "Counter", "Counter", "crm", 8470, lambda: CounterService)
    found = [EntryPoint(each) for each in (added, *installed_plugins())]
    caches = (
        plugin.installed_plugins,
        plugin.installed_services,
        fault_schema.fault_kinds,
        fault_schema.faults_model,
        org_schema.org_model,
    )

    monkeypatch.setattr(plugin, "entry_points", lambda group: found if group == plugin.GROUP else [])

    for cache in caches:
        cache.cache_clear()

    yield added

    for cache in caches:
        cache.cache_clear()


def test_a_further_service_is_served_with_the_same_people(counter: SandboxPlugin) -> None:
    faults = parse_faults(
        "{counter: {limit: 3}, rules: [{service: counter, when: {path: /count, nth: 2}, fault: {kind: html}}]}", "test"
    )

    with Sandbox(contacts=12, faults=faults) as sandbox, requests.Session() as session:
        url = sandbox.settings()["RINGFENCE_COUNTER__URL"]
        answers = [session.get(f"{url}/count", timeout=5) for _ in range(3)]

    assert url == sandbox.counter_url
    assert [answer.status_code for answer in answers] == [200, 503, 200]
    assert json.loads(answers[2].text) == sandbox.counter.requests == 3
    assert sandbox.services["counter"].people == 12


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("counter: {limt: 3}", "counter.limt: unknown key 'limt' (did you mean 'limit'?)"),
        ("rules: [{service: count, fault: {kind: reset}}]", "or 'counter'"),
        ("rules: [{service: counter, fault: {kind: lock_rows}}]", "lock_rows is a fault of salesforce, not of counter"),
        ("rules: [{service: counter, when: {path: /cont}, fault: {kind: reset}}]", "did you mean '/count'?"),
    ],
)
def test_a_faults_file_knows_a_further_service(counter: SandboxPlugin, text: str, expected: str) -> None:
    with pytest.raises(FaultsError) as caught:
        parse_faults(text, "test")

    assert expected in str(caught.value)


def test_an_org_file_knows_a_further_service(counter: SandboxPlugin) -> None:
    sandbox = Sandbox(contacts=1, org=parse_org("counter: {step: 2}", "test"))

    with pytest.raises(OrgError) as caught:
        parse_org("counter: {stap: 2}", "test")

    assert sandbox.services["counter"].step == 2  # type: ignore[attr-defined]  # the made-up service's own
    assert "counter.stap: unknown key 'stap' (did you mean 'step'?)" in str(caught.value)


def test_one_name_for_two_kinds_of_faults_is_a_mistake_of_the_services(
    counter: SandboxPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Html(Fault):
        kind: Literal["html"]

    monkeypatch.setattr(CounterService, "fault_kinds", (Html,))

    with pytest.raises(TypeError, match="counter: html is another service's kind of fault"):
        parse_faults("seed: 1", "test")


def test_a_further_service_takes_one_more_port(counter: SandboxPlugin) -> None:
    ports = [0] * len(installed_plugins())

    with pytest.raises(ValueError, match="shorter"):
        Sandbox(contacts=1, ports=ports[1:])

    assert "counter" in Sandbox(contacts=1, ports=ports).services


def test_a_service_that_is_not_there_is_an_attribute_error() -> None:
    sandbox = Sandbox(contacts=1)

    with pytest.raises(AttributeError, match="no 'pipedrive'; its services: salesforce, hubspot, twilio"):
        _ = sandbox.pipedrive
