"""What the tests of ingest jobs share: loads, what becomes of them, and a watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice

from ringfence.connectors.salesforce.bulk.csv_sheet import Sheet
from ringfence.connectors.salesforce.bulk.update_sheet import UpdateSheet
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Change, FieldChange, Outcome, Value
from ringfence.core.ports.bulk import BulkLoad
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

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
