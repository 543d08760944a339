"""Chunks of 200 that Salesforce makes of a job, and that are too much for the org's triggers."""

from __future__ import annotations

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Outcome
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits

from .conftest import REASON, WRITTEN, alive, change, write

JOBS = "POST /jobs/ingest"
OVERLOAD = ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "ContactTrigger: System.LimitException: Too many SOQL queries: 101")
MANY = pytest.mark.parametrize("sandbox", [{"contacts": 700}], indirect=True)


@MANY
def test_rows_that_are_too_many_together_go_in_smaller_chunks(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.traits = SalesforceTraits(trigger_limits={"Contact": 60})
    rows = alive(org)

    found = write(crm, [change(one, **{REASON: "x"}) for one in rows])

    assert found == dict.fromkeys(rows, WRITTEN)
    assert {org.rows("Contact")[one][REASON] for one in rows} == {"x"}
    assert crm.learnt["chunk:Contact"].startswith("50 ")


@MANY
def test_an_object_that_takes_fewer_is_written_by_no_further_job(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.traits = SalesforceTraits(trigger_limits={"Contact": 60})
    rows = alive(org)

    write(crm, [change(one, **{REASON: "x"}) for one in rows])
    found = write(crm, [change(one, **{REASON: "y"}) for one in rows])

    assert found == dict.fromkeys(rows, WRITTEN)
    assert org.requests[JOBS] == 1


@MANY
def test_a_few_rows_of_that_kind_end_no_jobs(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    rows = alive(org)
    heavy = rows[3]
    org.refuse_row = lambda _name, row, _values: OVERLOAD if row["Id"] == heavy else None

    found = write(crm, [change(one, **{REASON: "x"}) for one in rows])
    write(crm, [change(one, **{REASON: "y"}) for one in rows])

    assert found.pop(heavy) == (Outcome.REFUSED, OVERLOAD[0])
    assert set(found.values()) == {WRITTEN}
    assert org.requests[JOBS] == 2
    assert crm.learnt == {}
