"""What the tests of query jobs share: few rows that count as many, and what was asked about jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]
LAST = "RF_Phone_Last_Screened__c"
CREATE, POLL, RESULTS = "POST /jobs/query", "GET /jobs/query/{job_id}", "GET /jobs/query/{job_id}/results"


def records(pages: Iterable[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def ids(pages: Iterable[Page]) -> Counter[str]:
    return Counter(record.id for record in records(pages))


def alive(org: SalesforceOrg) -> Counter[str]:
    return Counter(one for one, row in org.rows("Contact").items() if not row["IsDeleted"])


def requests(org: SalesforceOrg) -> Counter[str]:
    """The requests about jobs, by method and path."""
    return Counter({name: count for name, count in org.requests.items() if "/jobs/" in name})


def fail(sandbox: Sandbox, method: str, path: str, fault: str, when: str = "") -> None:
    rule = f"{{service: salesforce, when: {{method: {method}, path: '{path}'{when}}}, fault: {{{fault}}}}}"
    sandbox.faults = parse_faults(f"{{rules: [{rule}]}}", "test")


def window_cursor(connect: Connect, org: SalesforceOrg, sandbox: Sandbox) -> str:
    """Return the cursor in front of a window that holds every contact."""
    sandbox.clock.advance(600)
    (cursor,) = [page.cursor for page in connect().open_feed({}).changed()][-1:]
    assert cursor is not None
    sandbox.clock.advance(600)
    org.set_modified("Contact", alive(org), sandbox.clock.now())
    sandbox.clock.advance(1_000)
    return cursor
