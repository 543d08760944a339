"""What the tests of ingest jobs share: loads, what becomes of them, and a watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice

import pytest

from ringfence.connectors.salesforce.bulk import query as bulk_query
from ringfence.connectors.salesforce.bulk import reader as bulk_read
from ringfence.connectors.salesforce.bulk.csv_sheet import Sheet
from ringfence.connectors.salesforce.bulk.update_sheet import UpdateSheet
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Change, FieldChange, Outcome, Value
from ringfence.core.ports.bulk import BulkLoad
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reading import window_cursor

Connect = Callable[..., SalesforceCrm]
STATUS, REASON, SCREENED = "RF_Phone_Status__c", "RF_Phone_Reason__c", "RF_Phone_Screened_Value__c"
E164, LAST = "RF_Phone_E164__c", "RF_Phone_Last_Screened__c"
WHEN = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
WRITTEN = (Outcome.WRITTEN, "")


class Watch:
    """Remembers the references it was given, and ends the waiting after so many polls."""

    def __init__(self, patience: int | None = None) -> None:
        self.references: list[str] = []
        self.times = 0
        self._patience = patience

    def opened(self, reference: str) -> None:
        self.references.append(reference)

    def waiting(self) -> None:
        self.times += 1
        if self.times == self._patience:
            raise KeyboardInterrupt


def change(one: str, **new: Value) -> Change:
    return Change.of("Contact", one, tuple(FieldChange(name, None, value) for name, value in new.items()))


def sheet(columns: list[str], *changes: Change) -> Sheet:
    made = UpdateSheet(columns)
    made.add(changes)
    assert not made.unsupported
    return made.finish()


def alive(org: SalesforceOrg) -> list[str]:
    return sorted(one for one, row in org.rows("Contact").items() if not row["IsDeleted"])


def load(crm: SalesforceCrm, changes: Iterable[Change]) -> BulkLoad:
    made, left = crm.bulk.load("Contact"), iter(changes)
    while some := list(islice(left, 50)):
        made.add(some)
    return made


def write(crm: SalesforceCrm, changes: Iterable[Change], watch: Watch | None = None) -> dict[str, tuple[Outcome, str]]:
    found = list(load(crm, changes).write(watch or Watch()))
    assert max(Counter(one for one, _ in found).values()) == 1
    return {one: (result.outcome, result.code) for one, result in found}


def fail(sandbox: Sandbox, method: str, path: str, fault: str, when: str = "") -> None:
    rule = f"{{service: salesforce, when: {{method: {method}, path: '{path}'{when}}}, fault: {{{fault}}}}}"
    sandbox.faults = parse_faults(f"{{rules: [{rule}]}}", "test")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch, org: SalesforceOrg) -> None:
    """Make few rows many: pages of 10, of which 7 records' worth go on together, and results of 20, then 30."""
    org.page_size = 10
    monkeypatch.setattr(bulk_read, "WORTH_FROM", 40)
    monkeypatch.setattr(bulk_read, "RECORDS_AT_ONCE", 7)
    monkeypatch.setattr(bulk_query, "FIRST_ROWS", 20)
    monkeypatch.setattr(bulk_query, "RESULT_ROWS", 30)


@pytest.fixture(params=["full", "window"])
def cursor(request: pytest.FixtureRequest, connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> str | None:
    """Give the cursor in front of a large read, of everything or of what changed."""
    found = None if request.param == "full" else window_cursor(connect, org, sandbox)
    org.jobs.drop_all()
    org.requests.clear()
    return found
