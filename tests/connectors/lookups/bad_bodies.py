"""Bodies that no healthy provider sends, and good ones of every registered provider, to be spoilt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ringfence.apps.registry import lookup_plugins
from ringfence.connectors.lookups.declared.file import parse_provider_file
from ringfence.connectors.lookups.declared.plugin import make_plugin
from ringfence.core.errors import RingfenceError
from ringfence.core.model.answers import Answer, Order
from ringfence.core.ports.lookup import Lookup, LookupPlugin
from ringfence.core.ports.services import Services
from testkit.clock import SetClock
from testkit.provider_server import ProviderServer

NUMBER, ANOTHER = "+14155550132", "+14155550199"
NUMBERS = [f"+1415556{n:04}" for n in range(150)]
SECRET = "very-secret"
HUNDRED_MB = 100 * 1024 * 1024

TABLES = {
    table["provider"]: table
    for file in sorted((Path(__file__).resolve().parents[2] / "cases" / "lookups").glob("*.yaml"))
    for table in [yaml.safe_load(file.read_text("utf-8"))]
}
WITH_ADDRESS = sorted(name for name, plugin in lookup_plugins().items() if "base_url" in plugin.settings.model_fields)
ORDERING = ["bandwidth", "clearoutphone"]
"""Providers that take orders over HTTP."""

OWN = """\
name: own
credentials: [key]
request: {method: POST, url: "https://api.example.com/v1", headers: {X-Key: "{key}"}, json: {numbers: ["{digits}"]}}
batch: 50
answer:
  items: results
  number: phone
  validity: {path: valid, values: {true: valid}, default: unknown}
  line_state: {path: line.status, values: {live: active, dead: disconnected}, default: unknown}
  line_type: {path: line.type, values: {cell: mobile}, default: unknown}
  carrier: {path: carrier.name}
  risk: {score: score, flags: {voip: voip}}
  cost: {path: cost}
"""
OWN_ANSWER = {
    "results": [
        {
            "phone": "{number}",
            "valid": True,
            "line": {"status": "live", "type": "cell"},
            "carrier": {"name": "First", "mcc": "310"},
            "score": 12,
            "voip": True,
            "cost": "0.01",
        }
    ]
}

BODIES: dict[str, Any] = {
    "a page": "<!doctype html><html><body>Please log in.</body></html>",
    "plain text": "upstream request timeout",
    "nothing": "",
    "a list": [],
    "a list of numbers": [7, 8],
    "text": '"valid"',
    "a number": "7",
    "true": "true",
    "null": "null",
    "an empty object": {},
    "not a number": '{"data": NaN, "insights": Infinity, "results": -Infinity}',
    "no UTF-8": '{"valid": "\\ud83d"}'[:-3],
    "cut in the middle": '{"valid": true, "data": {"results": [{"phone',
    "nested deeply": "[" * 200_000 + "]" * 200_000,
    "objects nested deeply": '{"data":' * 100_000 + "1" + "}" * 100_000,
    "a number without end": "1" * 100_000,
}


@dataclass
class Case:
    """A provider at the address of the test's server."""

    name: str
    server: ProviderServer
    settings: dict[str, Any]

    @property
    def plugin(self) -> LookupPlugin:
        return make_plugin(parse_provider_file(OWN, "own.yaml")) if self.name == "own" else lookup_plugins()[self.name]

    def good(self, number: str) -> Any:
        """Return a good answer about a number."""
        body = OWN_ANSWER if self.name == "own" else TABLES[self.name]["rows"][0]["body"]
        return json.loads(json.dumps(body).replace("{number}", number[1:]))

    def connect(self) -> Lookup:
        settings = {**self.settings, "base_url": self.server.url}
        return self.plugin.connect(self.plugin.settings(**settings), Services(SetClock()))


def drain(ask: Callable[[], Iterator[Answer | Order]]) -> tuple[list[Answer], RingfenceError | None]:
    """Return the answers, none of them an order, and the error that ended them."""
    answers: list[Answer] = []
    try:
        for answer in ask():
            assert isinstance(answer, Answer)
            answers.append(answer)
    except RingfenceError as error:
        return answers, error
    return answers, None


def assert_told_well(answers: list[Answer], error: RingfenceError | None, text: str) -> None:
    """Assert that somebody is told what went wrong, in few words and without a secret or a number."""
    if error is not None:
        told = f"{error!r} {error.message} {error.remedy} {error.__cause__!r} {error.__context__!r}"
        assert error.message
        assert error.remedy
        assert len(error.message) < 300
        text += told
    assert not [secret for secret in (SECRET, NUMBER[2:], NUMBERS[0][2:]) if secret in text]
    assert all(answer.code and len(answer.code) <= 200 for answer in answers)


def mutations(body: Any) -> Iterator[tuple[str, Any]]:
    """Yield a body once for each of its values and each wrong thing in its place."""
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    for path in _paths(body):
        was = _get(body, path)
        wrong: list[Any] = [["x"], {"x": 1}, deep, None]
        wrong += [7] if isinstance(was, (list, dict)) else []
        wrong += [float("nan"), float("inf")] if isinstance(was, (int, float)) else []
        wrong += ["\ud800\x00\n" + "x" * 50_000] if isinstance(was, str) else []
        for value in wrong:
            changed = deepcopy(body)
            holder = _get(changed, path[:-1])
            holder[path[-1]] = value
            yield f"{'.'.join(map(str, path))} = {str(value)[:20]}", changed


def _paths(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(body, (dict, list)):
        for key, value in body.items() if isinstance(body, dict) else enumerate(body):
            yield from _paths(value, (*at, key))


def _get(body: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        body = body[part]
    return body
