"""HubSpot, as the sandbox plays it."""

from __future__ import annotations

from typing import Any, ClassVar

from ..harness import HttpHarness


class HubSpotHarness(HttpHarness):
    name = "hubspot"
    object = "contacts"
    roles: ClassVar = {
        "phone": "phone",
        "mobile": "mobilephone",
        "opt_out": "rf_do_not_call",
        "country": "country",
        "name": "lastname",
    }

    def create(self, count: int = 1, **roles: Any) -> list[str]:
        ids: list[str] = []
        properties = {key: _write(value) for key, value in self.values({"name": "Doe", **roles}).items()}
        url = f"{self.sandbox.hubspot_url}/crm/v3/objects/contacts/batch/create"

        for start in range(0, count, 100):
            inputs = [{"properties": properties} for _ in range(min(100, count - start))]
            ids += [row["id"] for row in self.call("POST", url, {"inputs": inputs})["results"]]

        return ids

    def edit(self, record_id: str, **roles: Any) -> None:
        values = {key: _write(value) for key, value in self.values(roles).items()}
        self.sandbox.hubspot.update_as_user(record_id, **values)

    def delete(self, record_id: str) -> None:
        self.sandbox.hubspot.archive(record_id)

    def merge(self, winner: str, loser: str) -> str:
        return self.sandbox.hubspot.merge(winner, loser)

    def same_instant(self, ids: list[str]) -> None:
        self.sandbox.hubspot.set_modified(ids, self.sandbox.clock.now())

    def filter_for(self, country: str) -> str:
        return f"[{{propertyName: country, operator: EQ, value: {country}}}]"


def _write(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


HARNESS = HubSpotHarness
