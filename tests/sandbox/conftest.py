"""A sandbox whose services can be given faults, and plain HTTP to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.server import Sandbox

VERSION = "/services/data/v65.0"


class World:
    """A running sandbox, and plain HTTP to its services."""

    def __init__(self, sandbox: Sandbox, sessions: ExitStack) -> None:
        self.sandbox = sandbox
        self._sessions = sessions
        self.session = sessions.enter_context(requests.Session())

    def again(self) -> World:
        """Return another client of the same sandbox, with connections of its own."""
        return World(self.sandbox, self._sessions)

    def faults(self, rules: str, more: str = "") -> None:
        """Set rules, given as the inside of a YAML list in flow style."""
        self.sandbox.faults = parse_faults(f"{{{more + ',' if more else ''}rules: [{rules}]}}", "test")

    def salesforce(self, method: str = "GET", path: str = "/limits", **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.sandbox.salesforce.access_token}", **options.pop("headers", {})}
        url = self.sandbox.salesforce_url + (path if path.startswith("/services") else VERSION + path)
        return self.session.request(method, url, headers=headers, **{"timeout": 5, **options})

    def hubspot(self, method: str = "GET", path: str = "/account-info/v3/details", **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.sandbox.hubspot.access_token}"}
        return self.session.request(
            method, self.sandbox.hubspot_url + path, headers=headers, **{"timeout": 5, **options}
        )

    def twilio(self, number: str = "+12015550123", **options: Any) -> requests.Response:
        """Ask about a number as ringfence does, for two packages, unless ``params`` says otherwise."""
        account = self.sandbox.twilio
        return self.session.get(
            f"{self.sandbox.twilio_url}/v2/PhoneNumbers/{number}",
            auth=(account.sid, account.auth_token),
            **{"timeout": 5, "params": {"Fields": "line_status,line_type_intelligence"}, **options},
        )

    def write(self, service: str, phone: str, **options: Any) -> requests.Response:
        """Set the phone field of the first contact."""
        if service == "salesforce":
            path = f"/sobjects/Contact/{next(iter(self.sandbox.salesforce.rows('Contact')))}"
            return self.salesforce("PATCH", path, json={"Phone": phone}, **options)
        path = f"/crm/v3/objects/contacts/{next(iter(self.sandbox.hubspot.contacts))}"
        return self.hubspot("PATCH", path, json={"properties": {"phone": phone}}, **options)

    def phone(self, service: str) -> Any:
        """Return the phone field of the first contact."""
        if service == "salesforce":
            return next(iter(self.sandbox.salesforce.rows("Contact").values()))["Phone"]
        contacts = self.sandbox.hubspot.contacts
        return contacts[next(iter(contacts))].get("phone")


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(contacts=60) as sandbox:
        yield sandbox


@pytest.fixture
def world(running: Sandbox) -> Iterator[World]:
    with ExitStack() as sessions:
        yield World(running, sessions)
    running.faults = None
