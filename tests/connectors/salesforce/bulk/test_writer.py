"""Many changes through ingest jobs: each row ends with its own result."""

from __future__ import annotations

import pytest

from ringfence.connectors.salesforce.bulk import writer as bulk_write
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Outcome, RowResult, Value
from ringfence.sandbox.salesforce.bulk_load import IngestJob
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .conftest import (
    E164,
    LAST,
    REASON,
    SCREENED,
    STATUS,
    WHEN,
    WRITTEN,
    Watch,
    alive,
    change,
    fail,
    load,
    write,
)


def test_values_arrive_as_salesforce_keeps_them(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    one, two, three = alive(org)[:3]
    for row in (one, two, three):
        org.update_as_user("Contact", row, DoNotCall=False, **{E164: "+14155550100", REASON: "old"})

    text = 'says "no", then\nrings; ünï ☎'
    sent = [
        change(one, **{STATUS: "active", REASON: text, E164: None, LAST: WHEN, "DoNotCall": True}),
        change(two, **{SCREENED: " 0012 ", REASON: ""}),
        change(three, **{SCREENED: "#N/A", STATUS: "invalid"}),
    ]

    watch = Watch()

    assert write(crm, sent, watch) == dict.fromkeys((one, two, three), WRITTEN)

    rows = org.rows("Contact")

    assert (rows[one][STATUS], rows[one][REASON], rows[one][E164]) == ("active", text, None)
    assert (rows[one]["DoNotCall"], rows[one][LAST]) == (True, "2026-11-20T08:30:00.000+0000")
    assert (rows[two][SCREENED].strip(), rows[two][E164], rows[two][REASON]) == ("0012", "+14155550100", None)
    assert (rows[three][SCREENED], rows[three][STATUS]) == ("#N/A", "invalid")
    assert len(watch.references) == 1
    assert org.requests["POST /composite"] == 1, "a text that would empty the field goes by itself"
    assert not org.jobs.every(IngestJob)


def test_half_a_character_keeps_no_other_row_from_its_job(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    plain, half, blank = alive(org)[:3]
    sent = [change(plain, **{STATUS: "valid"}), change(half, **{SCREENED: "+1 201 555 0123 \ud83d"})]

    found = write(crm, [*sent, change(blank, **{SCREENED: " "})])

    assert found.keys() == {plain, half, blank}
    assert org.rows("Contact")[plain][STATUS] == "valid"
    assert org.requests["POST /composite"] == 1, "what a file cannot say goes by itself"


@pytest.mark.parametrize("sandbox", [{"contacts": 2_500}], indirect=True)
def test_a_job_takes_few_calls(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    some = alive(org)[:1_800]

    assert write(crm, (change(one, **{STATUS: "valid"}) for one in some)) == dict.fromkeys(some, WRITTEN)
    assert crm.calls["write"] <= bulk_write.CALLS
    assert {org.rows("Contact")[one][STATUS] for one in some} == {"valid"}


def test_refused_rows_keep_the_words_of_the_org(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    good, bad, long, gone = alive(org)[:4]
    org.refuse_row = lambda _name, row, _new: (
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not: this (415) 555-0123: one") if row.get("Id") == bad else None
    )
    org.delete("Contact", gone)
    sent = [change(one, **{STATUS: "valid", REASON: "x" * (300 if one == long else 3)}) for one in (good, bad, long)]

    found = dict(load(crm, [*sent, change(gone, **{STATUS: "valid"})]).write(Watch()))

    assert found[good] == RowResult(Outcome.WRITTEN)
    assert (found[bad].outcome, found[bad].code) == (Outcome.REFUSED, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert found[bad].message == "Not: this ***23: one"
    assert (found[long].code, REASON in found[long].message) == ("STRING_TOO_LONG", True)
    assert (found[gone].outcome, found[gone].code) == (Outcome.CONFLICT, "ENTITY_IS_DELETED")


def test_locked_rows_are_sent_again_by_themselves(crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox) -> None:
    some = alive(org)[:20]
    fail(sandbox, "PATCH", "/jobs/ingest/{job_id}", "kind: lock_rows, fraction: 1.0, tries: 1")

    sent = [change(one, **{STATUS: "valid", LAST: WHEN, E164: None, "DoNotCall": True}) for one in some]

    assert write(crm, sent) == dict.fromkeys(some, WRITTEN)
    assert org.requests["POST /composite"] >= 1

    row = org.rows("Contact")[some[0]]

    assert (row[STATUS], row[E164], row["DoNotCall"], row[LAST]) == (
        "valid",
        None,
        True,
        "2026-11-20T08:30:00.000+0000",
    )


@pytest.mark.parametrize(("cell", "sent"), [("TRUE", {"DoNotCall": True}), ("1", {"DoNotCall": True}), ("FALSE", {})])
def test_a_row_that_is_sent_again_never_lowers_a_flag(crm: SalesforceCrm, cell: str, sent: dict[str, Value]) -> None:
    made = crm.bulk.load("Contact")._change("003A", {STATUS: "valid", "DoNotCall": cell, REASON: ""})
    assert made.new_values() == {STATUS: "valid", **sent}
