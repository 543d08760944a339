"""What `check` tells of a first sync: the org's own counts, what runs on a record, and what nobody may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ringfence.connectors.salesforce.client import SalesforceClient
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import SchemaError
from ringfence.core.ports.crm import Depth, Finding, Level
from ringfence.core.ports.survey import Automation
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits

Connect = Callable[..., SalesforceCrm]
STATUS = "RF_Phone_Status__c"


def test_records_and_numbers_are_counted_by_the_org_in_few_calls(
    connect: Connect, both: str, org: SalesforceOrg
) -> None:
    crm = connect(both)
    crm.check()
    before = sum(crm.calls.values())

    survey = crm.survey()

    for count in survey.counts:
        rows = org.rows(count.object).values()
        assert count.records == len(rows)
        assert count.numbers == sum(bool(row[name]) for row in rows for name in ("Phone", "MobilePhone"))
    assert survey.allowance is not None
    assert 79_900 < survey.allowance.left < 80_000
    assert sum(crm.calls.values()) - before <= 6


def test_a_filter_limits_the_records_that_are_counted(connect: Connect, org: SalesforceOrg) -> None:
    crm = connect(filter='"LastName = null"')
    crm.check()

    (count,) = crm.survey().counts

    assert count.records == 0
    assert count.numbers


def test_numbers_that_no_query_may_ask_for_are_not_counted(connect: Connect, org: SalesforceOrg) -> None:
    org.encrypt_field("Contact", "Phone")
    org.encrypt_field("Contact", "Department")
    crm = connect(opt_out="{field: Department, true_values: [never]}")
    crm.check()

    (count,) = crm.survey().counts

    assert (count.records, count.numbers, count.full_reads) == (len(org.rows("Contact")), None, 2)


def test_what_runs_on_an_update_is_named(connect: Connect, both: str, org: SalesforceOrg) -> None:
    org.traits = SalesforceTraits(
        flows={"Contact": ("Welcome call",), "Case": ("Escalate",)},
        apex_triggers={"Lead": ("LeadTrigger", "Scoring")},
        validation_rules={},
    )
    crm = connect(both)
    crm.check()

    contact, lead = crm.survey().automation

    assert (contact.object, contact.names, contact.unknown) == ("Contact", {"flow": ["Welcome call"]}, ())
    assert (lead.object, lead.names) == ("Lead", {"Apex trigger": ["LeadTrigger", "Scoring"]})
    assert "Setup > Object Manager > Lead > Validation Rules" in lead.where


@pytest.mark.parametrize(
    ("row", "starts"),
    [
        ({"TriggerType": "RecordAfterSave", "RecordTriggerType": "CreateAndUpdate"}, True),
        ({"TriggerType": "RecordBeforeSave", "RecordTriggerType": "Update"}, True),
        ({"TriggerType": "RecordAfterSave", "RecordTriggerType": "Create"}, False),
        ({"TriggerType": "Scheduled", "RecordTriggerType": None}, False),
        ({"ProcessType": "Workflow", "TriggerType": None}, True),
        ({"ProcessType": "Flow", "TriggerType": None}, False),
    ],
)
def test_only_flows_that_an_update_starts_count(
    crm: SalesforceCrm, monkeypatch: pytest.MonkeyPatch, row: dict[str, Any], starts: bool
) -> None:
    records = [{"Label": "One", "TriggerObjectOrEvent": {"QualifiedApiName": "Contact"}, **row}]
    monkeypatch.setattr(SalesforceClient, "query", lambda *_: {"records": records})

    (contact,) = crm.survey().automation

    assert contact.names.get("flow") == (["One"] if starts else None)


def test_a_user_who_may_not_look_into_setup_is_told_what_is_not_known(
    connect: Connect, both: str, org: SalesforceOrg
) -> None:
    org.traits = SalesforceTraits(view_setup=False)
    crm = connect(both)
    crm.check()

    automation = crm.survey().automation

    assert [each.object for each in automation] == ["Contact", "Lead"]
    assert all(_is_unknown(each) for each in automation)


def _is_unknown(automation: Automation) -> bool:
    kinds = ("flow", "Apex trigger", "validation rule")
    return automation.unknown == kinds and "View Setup and Configuration" in automation.remedy


TYPES = parse_org(
    """
salesforce:
  record_types:
    Contact:
      Partner: {RF_Phone_Status__c: [valid, invalid, unknown, active, do_not_contact, wrong_person, unreachable]}
      Customer: {}
""",
    "test",
)


def _about_status(crm: SalesforceCrm, depth: Depth = Depth.DOCTOR) -> list[Finding]:
    found = [finding for finding in crm.check(depth) if finding.subject == f"Contact.{STATUS}"]
    return [finding for finding in found if "Partner" in finding.message or "Customer" in finding.message]


@pytest.mark.parametrize("sandbox", [{"org": TYPES}], indirect=True)
def test_a_record_type_that_leaves_statuses_out_is_named(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.restrict_picklist("Contact", STATUS)

    (warning,) = _about_status(crm)

    assert warning.level is Level.WARNING
    assert "the record type Partner leaves out disconnected, suspended, suspect:" in warning.message
    assert "Setup > Object Manager > Contact > Record Types > Partner" in warning.remedy
    assert _about_status(crm, Depth.SYNC) == []  # it takes a call for each record type


@pytest.mark.parametrize("sandbox", [{"org": TYPES}], indirect=True)
def test_a_picklist_that_is_not_restricted_takes_what_a_record_type_leaves_out(crm: SalesforceCrm) -> None:
    assert _about_status(crm) == []


@pytest.mark.parametrize("sandbox", [{"org": TYPES}], indirect=True)
def test_a_record_type_that_nobody_tells_about_is_said_to_be_unknown(
    crm: SalesforceCrm, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Mapping[str, Any]:
        raise SchemaError("No.")

    org.restrict_picklist("Contact", STATUS)
    monkeypatch.setattr(SalesforceClient, "get", refuse)

    (unknown,) = _about_status(crm)

    assert unknown.level is Level.UNKNOWN
    assert "Partner, Customer" in unknown.message


@pytest.mark.parametrize(("held", "hidden"), [(5_000, True), (130, False), (0, False)])
def test_records_that_sharing_hides_are_a_warning(
    crm: SalesforceCrm, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch, held: int, hidden: bool
) -> None:
    answer = {"sObjects": [{"name": "Contact", "count": held}] if held else []}
    monkeypatch.setattr(SalesforceClient, "get", lambda *_, **__: answer)
    crm.check()

    survey = crm.survey()

    assert survey.counts[0].unseen == (held - len(org.rows("Contact")) if hidden else 0)
    assert "View All Records" in survey.sight
