"""One harness per CRM connector: how a test plays the people who work in that CRM."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from ringfence.apps.registry import crm_plugins
from ringfence.connectors.memory import MemoryCrm, companion_name
from ringfence.core.clock import SystemClock
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Crm
from ringfence.core.ports.services import Services
from ringfence.sandbox.server import Sandbox
from testkit.clock import SetClock

OBJECTS = {"memory": "people", "salesforce": "Contact", "hubspot": "contacts"}
ROLES = {
    "memory": {"phone": "phone", "mobile": "mobile", "opt_out": "optout", "country": "country"},
    "salesforce": {
        "phone": "Phone",
        "mobile": "MobilePhone",
        "opt_out": "DoNotCall",
        "country": "MailingCountry",
        "name": "LastName",
    },
    "hubspot": {
        "phone": "phone",
        "mobile": "mobilephone",
        "opt_out": "rf_do_not_call",
        "country": "country",
        "name": "lastname",
    },
}


class Harness(ABC):
    """A CRM account to test against. Roles (phone, mobile, opt_out, country) stand for its fields."""

    name: str

    @property
    def object(self) -> str:
        return OBJECTS[self.name]

    @property
    def roles(self) -> dict[str, str]:
        return ROLES[self.name]

    def mapping(self, **extra: str) -> str:
        roles = self.roles
        lines = [
            f"crm: {self.name}",
            "objects:",
            f"  {self.object}:",
            f"    phones: {{{roles['phone']}: {{}}, {roles['mobile']}: {{normalize: true}}}}",
            f"    opt_out: {{field: {extra.pop('flag', roles['opt_out'])}}}",
            f"    region: {{field: {roles['country']}}}",
            *(f"    {key}: {value}" for key, value in extra.items()),
        ]
        return "\n".join(lines)

    def shapes(self, **extra: str) -> dict[str, ObjectShape]:
        namer = companion_name if self.name == "memory" else crm_plugins()[self.name].companion_name
        return resolve(parse_mapping(self.mapping(**extra), "test"), namer)

    @abstractmethod
    def connect(self, *, bad_token: bool = False, **extra: str) -> Crm: ...
    @abstractmethod
    def create(self, count: int = 1, **roles: Any) -> list[str]: ...
    @abstractmethod
    def edit(self, record_id: str, **roles: Any) -> None: ...
    @abstractmethod
    def delete(self, record_id: str) -> None: ...
    @abstractmethod
    def merge(self, winner: str, loser: str) -> str: ...
    @abstractmethod
    def pass_time(self, **units: float) -> None: ...

    @abstractmethod
    def filter_for(self, country: str) -> str: ...

    def same_instant(self, ids: list[str]) -> None:
        """Put the records on one modification stamp, where creating them together does not."""
        assert ids

    def bare(self) -> None:
        """Take the companion fields away, where the account does not start without them."""
        assert self.name in OBJECTS


class MemoryHarness(Harness):
    name = "memory"

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.crm = MemoryCrm(self.shapes(), clock, page_size=50)
        self.crm.refuse = self._refuse
        self._next = 0

    def connect(self, *, bad_token: bool = False, **extra: str) -> Crm:
        self.crm.shapes = self.shapes(**{k: v for k, v in extra.items() if k != "filter"})
        if "filter" in extra:
            self.crm.in_scope = lambda _object, row: row.get("country") == extra["filter"]
        return self.crm

    def create(self, count: int = 1, **roles: Any) -> list[str]:
        ids = [f"p{self._next + i:06}" for i in range(count)]
        self._next += count
        for id_ in ids:
            self.edit(id_, **roles)
        return ids

    def edit(self, record_id: str, **roles: Any) -> None:
        self.crm.put(self.object, record_id, **{self.roles[role]: value for role, value in roles.items()})

    def delete(self, record_id: str) -> None:
        self.crm.delete(self.object, record_id)

    def merge(self, winner: str, loser: str) -> str:
        self.crm.merge(self.object, winner, loser)
        return winner

    def pass_time(self, **units: float) -> None:
        self.clock.advance(**units)

    def filter_for(self, country: str) -> str:
        return country

    def bare(self) -> None:
        for name, shape in self.crm.shapes.items():
            self.crm.fields[name] -= set(shape.companion_fields())

    @staticmethod
    def _refuse(change: Any) -> tuple[str, str] | None:
        for item in change.fields:
            if item.field.endswith("_status") and item.new not in (None, *Status):
                return "BAD_VALUE", "not one of the options"
        return None


class HttpHarness(Harness):
    """A sandbox service with no people in it, reached through the real client library."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.clock = SystemClock()
        self.open: list[Crm] = []

    def connect(self, *, bad_token: bool = False, **extra: str) -> Crm:
        plugin = crm_plugins()[self.name]
        prefix = f"RINGFENCE_{self.name.upper()}__"
        values = {
            key.removeprefix(prefix).lower(): value
            for key, value in self.sandbox.settings().items()
            if key.startswith(prefix)
        }
        if bad_token:
            values["access_token"] = "pat-na1-not-a-token"
        crm = plugin.connect(plugin.settings(**values), self.shapes(**extra), Services(self.clock))
        self.open.append(crm)
        return crm

    def pass_time(self, **units: float) -> None:
        self.sandbox.clock.advance(timedelta(**units).total_seconds())

    def call(self, method: str, url: str, body: Any) -> Any:
        token = self.sandbox.settings()[f"RINGFENCE_{self.name.upper()}__ACCESS_TOKEN"]
        answer = requests.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def values(self, roles: dict[str, Any]) -> dict[str, Any]:
        return {self.roles[role]: value for role, value in roles.items()}


class SalesforceHarness(HttpHarness):
    name = "salesforce"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        sandbox.salesforce.page_size = 100  # the service may send shorter pages than the 2,000 it allows

    def create(self, count: int = 1, **roles: Any) -> list[str]:
        ids: list[str] = []
        rows = [
            {"attributes": {"type": self.object}, **self.values({"name": f"Doe {i}", **roles})} for i in range(count)
        ]
        url = f"{self.sandbox.salesforce_url}/services/data/v65.0/composite/sobjects"
        for start in range(0, count, 200):
            results = self.call("POST", url, {"allOrNone": True, "records": rows[start : start + 200]})
            assert all(result["success"] for result in results), results
            ids += [result["id"] for result in results]
        return ids

    def edit(self, record_id: str, **roles: Any) -> None:
        self.sandbox.salesforce.update_as_user(self.object, record_id, **self.values(roles))

    def delete(self, record_id: str) -> None:
        self.sandbox.salesforce.delete(self.object, record_id)

    def merge(self, winner: str, loser: str) -> str:
        self.sandbox.salesforce.merge(winner, [loser])
        return winner

    def filter_for(self, country: str) -> str:
        return f"\"MailingCountry = '{country}'\""


class HubSpotHarness(HttpHarness):
    name = "hubspot"

    def create(self, count: int = 1, **roles: Any) -> list[str]:
        ids: list[str] = []
        shown = {key: _as_hubspot(value) for key, value in self.values({"name": "Doe", **roles}).items()}
        url = f"{self.sandbox.hubspot_url}/crm/v3/objects/contacts/batch/create"
        for start in range(0, count, 100):
            inputs = [{"properties": shown} for _ in range(min(100, count - start))]
            ids += [row["id"] for row in self.call("POST", url, {"inputs": inputs})["results"]]
        return ids

    def edit(self, record_id: str, **roles: Any) -> None:
        values = {key: _as_hubspot(value) for key, value in self.values(roles).items()}
        self.sandbox.hubspot.update_as_user(record_id, **values)

    def delete(self, record_id: str) -> None:
        self.sandbox.hubspot.archive(record_id)

    def merge(self, winner: str, loser: str) -> str:
        return self.sandbox.hubspot.merge(winner, loser)

    def same_instant(self, ids: list[str]) -> None:
        self.sandbox.hubspot.set_modified(ids, self.sandbox.clock.now())

    def filter_for(self, country: str) -> str:
        return f"[{{propertyName: country, operator: EQ, value: {country}}}]"


def _as_hubspot(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


HARNESSES = {"memory": MemoryHarness, "salesforce": SalesforceHarness, "hubspot": HubSpotHarness}


@pytest.fixture(params=sorted({"memory", *crm_plugins()}))
def harness(request: pytest.FixtureRequest, clock: SetClock) -> Iterator[Harness]:
    """Give every registered CRM in turn; one without a harness fails here, so that none escapes."""
    kind = HARNESSES[request.param]
    if kind is MemoryHarness:
        yield MemoryHarness(clock)
        return
    bare = request.node.get_closest_marker("bare") is not None
    with Sandbox(contacts=0, bare=bare) as sandbox:
        made = kind(sandbox)
        yield made
        for crm in made.open:
            crm.close()
