"""The CRM in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ringfence.connectors.memory import MemoryCrm, companion_name
from ringfence.core.model.values import Change, Companion
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Crm
from testkit.clock import SetClock

from ..harness import Harness


class MemoryHarness(Harness):
    name = "memory"
    object = "people"
    roles: ClassVar = {"phone": "phone", "mobile": "mobile", "opt_out": "optout", "country": "country"}

    needs_sandbox = False

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.crm = MemoryCrm(self.shapes(), self.clock, page_size=50)
        self.crm.refuse = _refuse
        self._next = 0

    def companion_namer(self) -> Callable[[str, Companion], str]:
        return companion_name

    def connect(self, *, bad_token: bool = False, **extra: str) -> Crm:
        self.crm.shapes = self.shapes(**{key: value for key, value in extra.items() if key != "filter"})
        if "filter" in extra:
            self.crm.in_scope = lambda _object, row: row.get("country") == extra["filter"]

        return self.crm

    def create(self, count: int = 1, **roles: Any) -> list[str]:
        ids = [f"p{self._next + i:06}" for i in range(count)]
        self._next += count
        for record_id in ids:
            self.edit(record_id, **roles)

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


def _refuse(change: Change) -> tuple[str, str] | None:
    for item in change.fields:
        if item.field.endswith("_status") and item.new not in (None, *Status):
            return "BAD_VALUE", "not one of the options"
    return None


HARNESS = MemoryHarness
