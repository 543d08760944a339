"""Salesforce, as the sandbox plays it."""

from __future__ import annotations

from typing import Any, ClassVar

from ringfence.sandbox.server import Sandbox

from ..harness import HttpHarness


class SalesforceHarness(HttpHarness):
    name = "salesforce"
    object = "Contact"
    roles: ClassVar = {
        "phone": "Phone",
        "mobile": "MobilePhone",
        "opt_out": "DoNotCall",
        "country": "MailingCountry",
        "name": "LastName",
    }

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        sandbox.salesforce.page_size = 100  # the service may send shorter pages than the 2,000 it allows
        status = "RF_Phone_Status__c"
        if status in sandbox.salesforce.tables[self.object].spec.fields:
            sandbox.salesforce.restrict_picklist(self.object, status)  # so that a row can be refused for its value

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


HARNESS = SalesforceHarness
