"""A small org served over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import uvicorn

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.dataset import Person
from ringfence.sandbox.salesforce.app import salesforce_app
from ringfence.sandbox.salesforce.org import SalesforceOrg

NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
VERSION = "65.0"


def person(number: int, *, lead: bool = False, **changes: Any) -> Person:
    facts: dict[str, Any] = {
        "first": f"First{number}",
        "last": f"Last{number}",
        "company": "Acme",
        "email": f"user{number}@example.com",
        "country": "US",
        "phone": f"(415) 555-01{number:02d}",
        "mobile": None,
        "opted_out": False,
        "channel": "Web",
        "lead": lead,
        "screened": "never",
        "created": NOON - timedelta(days=50),
        "modified": NOON - timedelta(days=number),
    }
    return Person(**{**facts, **changes})


PEOPLE = [
    person(1, phone="+1 415 555 0101", mobile="415.555.0111"),
    person(2, phone=None, opted_out=True),
    person(3, first="Zoë", last="O'Neil", country="GB", channel="Other"),
    person(4, screened="recent", mobile="n/a"),
    person(5, lead=True),
    person(6, lead=True, company="Bolt"),
]


@dataclass
class Api:
    """Plain HTTP against the org, with its token."""

    org: SalesforceOrg
    root: str

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        url = self.root + (path if path.startswith(("/services", "/id/")) else f"/services/data/v{VERSION}{path}")
        headers = {"Authorization": f"Bearer {self.org.access_token}", **options.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=10, **options)

    def query(self, soql: str, **options: Any) -> Any:
        response = self("GET", "/query", params={"q": soql}, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def ids(self, soql: str) -> list[str]:
        return [record["Id"] for record in self.query(soql)["records"]]

    def refusal(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        response = self(method, path, **options)
        assert response.status_code >= 400, response.text
        return response.status_code, response.json()[0]


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock(NOON)


@pytest.fixture
def org(clock: SandboxClock) -> SalesforceOrg:
    return SalesforceOrg(people=PEOPLE, clock=clock)


@pytest.fixture
def bare_org(clock: SandboxClock) -> SalesforceOrg:
    return SalesforceOrg(people=PEOPLE, clock=clock, companions=False)


@pytest.fixture
def api(server: Server, org: SalesforceOrg) -> Api:
    return server.serve(org)


@pytest.fixture
def bare_api(server: Server, bare_org: SalesforceOrg) -> Api:
    return server.serve(bare_org)


@pytest.fixture
def contacts(org: SalesforceOrg) -> list[str]:
    return list(org.rows("Contact"))


@pytest.fixture
def leads(org: SalesforceOrg) -> list[str]:
    return list(org.rows("Lead"))


class Server:
    """One socket for all tests; each test puts its own org behind it, because starting and stopping takes time."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self._app: Any = None

    def serve(self, org: SalesforceOrg) -> Api:
        org.instance_url = self.root
        self._app = salesforce_app(org)
        return Api(org, self.root)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    served = Server(listener.getsockname()[1])
    config = uvicorn.Config(
        served, log_level="error", lifespan="off", ws="none", date_header=False, h11_max_incomplete_event_size=1 << 20
    )
    runner = uvicorn.Server(config)
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()

    while not runner.started:
        time.sleep(0.002)

    yield served
    runner.should_exit = True
    thread.join(10)
    listener.close()
