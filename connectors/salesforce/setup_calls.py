"""The endpoints of set-up: the Tooling API's custom fields, permission sets and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simple_salesforce import Salesforce

from ringfence.core.errors import RetryError

from .client import Row, SalesforceClient
from .errors import Fault, read_error, read_fault
from .user import read_user

PURPOSE = "setup"


class SetupCalls:
    """One method for each endpoint, over the client of an org. Each raises what the client's own methods do."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    def query(self, soql: str) -> list[Row]:
        """Return all records of a query."""
        return self._all(self._client.query(soql, PURPOSE))

    def count(self, soql: str) -> int:
        """Return what a ``SELECT COUNT()`` counts."""
        return int(self._client.query(soql, PURPOSE)["totalSize"])

    def query_tooling(self, soql: str) -> list[Row]:
        """Return all records of a query of the Tooling API."""
        page = self._call("a Tooling query", "GET", "tooling/query", params={"q": soql})
        if not isinstance(page, dict) or "records" not in page:
            raise RetryError("The answer to a Tooling query is not what Salesforce sends.")
        return self._all(page)

    def user_id(self) -> str:
        """Return the id of the user behind the token."""
        return str(read_user(self._client, PURPOSE)["user_id"])

    def create_field(self, full_name: str, metadata: Row) -> None:
        """Create a custom field through the Tooling API."""
        body = {"FullName": full_name, "Metadata": metadata}
        self._call(f"the field {full_name}", "POST", "tooling/sobjects/CustomField", json=body)

    def delete_field(self, full_name: str, field_id: str) -> None:
        """Delete a custom field through the Tooling API."""
        self._call(f"the deletion of {full_name}", "DELETE", f"tooling/sobjects/CustomField/{field_id}")

    def create(self, object_name: str, body: Row) -> None:
        """Create a record."""
        self._call(f"a new {object_name}", "POST", f"sobjects/{object_name}", json=dict(body))

    def create_many(self, object_name: str, bodies: Sequence[Row]) -> list[Fault]:
        """Create up to 200 records in one call; return the fault of each, an empty one where there is none."""
        records = [{"attributes": {"type": object_name}, **body} for body in bodies]
        body = {"allOrNone": False, "records": records}
        answers = self._call(f"new {object_name}", "POST", "composite/sobjects", json=body)
        if not isinstance(answers, list) or len(answers) != len(records):
            raise read_error(f"new {object_name}", 400, answers)
        return [read_fault(None if answer.get("success") else answer.get("errors")) for answer in answers]

    def update(self, object_name: str, record_id: str, body: Row) -> None:
        """Change a record."""
        self._call(f"a {object_name}", "PATCH", f"sobjects/{object_name}/{record_id}", json=dict(body))

    def delete(self, object_name: str, record_id: str) -> None:
        """Delete a record."""
        self._call(f"the deletion of a {object_name}", "DELETE", f"sobjects/{object_name}/{record_id}")

    def _call(self, what: str, method: str, path: str, **sending: Any) -> Any:
        def send(sf: Salesforce) -> Any:
            return sf.restful(path, method=method, **sending)

        return self._client.carry_out(PURPOSE, what, send)

    def _all(self, page: Mapping[str, Any]) -> list[Row]:
        records = list(page["records"])
        while not page.get("done", True):
            page = self._client.more(page["nextRecordsUrl"], PURPOSE)
            records += page["records"]
        return records
