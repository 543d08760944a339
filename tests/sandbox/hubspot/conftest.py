"""One server for all tests of the folder; every test gets a portal of its own behind it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hubspot import HubSpot
from starlette.types import Receive, Scope, Send

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.dataset import people
from ringfence.sandbox.hubspot.app import hubspot_app
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.server import LoopbackServer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = 120


class Stage:
    """An ASGI application that hands on to the one of the running test."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass
class Reply:
    status: int
    headers: Any
    body: Any


class Api:
    """Plain HTTP against the portal of the test, with its token."""

    def __init__(self, portal: HubSpotPortal, url: str, session: requests.Session) -> None:
        self.portal, self.url, self.session = portal, url, session
        self.token = portal.access_token

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> Reply:
        data = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.session.request(method, self.url + path, params=query, data=data, headers=headers, timeout=10)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Reply(answer.status_code, answer.headers, answer.json() if is_json else answer.text)

    def search(self, **body: Any) -> Reply:
        return self("POST", "/crm/v3/objects/contacts/search", body)

    def batch(self, action: str, inputs: list[Any], **body: Any) -> Reply:
        return self("POST", f"/crm/v3/objects/contacts/batch/{action}", {"inputs": inputs, **body})


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    server = LoopbackServer(stage)
    server.start()
    server.await_ready()
    yield stage, server.url
    server.ask_to_stop()
    server.join()


@pytest.fixture
def portal(stage: tuple[Stage, str]) -> HubSpotPortal:
    clock = SandboxClock(NOW)
    portal = HubSpotPortal(people=people(PEOPLE, now=NOW), clock=clock)
    portal.searches.limit = 1000
    stage[0].app = hubspot_app(portal)
    return portal


@pytest.fixture
def api(portal: HubSpotPortal, stage: tuple[Stage, str]) -> Iterator[Api]:
    with requests.Session() as session:
        yield Api(portal, stage[1], session)


@pytest.fixture
def client(portal: HubSpotPortal, stage: tuple[Stage, str]) -> HubSpot:
    """HubSpot's own client, pointed at the portal."""
    return HubSpot(access_token=portal.access_token, host=stage[1])


@pytest.fixture
def ids(portal: HubSpotPortal) -> list[str]:
    """The ids of all contacts, rising."""
    return list(portal.contacts)
