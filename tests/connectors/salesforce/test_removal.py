"""What set-up made goes, what people own stays, and what Salesforce refuses is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import AccessError
from ringfence.core.ports.crm import Level
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits

Connect = Callable[..., SalesforceCrm]
BARE = pytest.mark.parametrize("sandbox", [{"contacts": 4, "bare": True}], indirect=True)
OWN_NAME = "crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {companions: {status: My_Status__c}}}\n"


def remove(crm: SalesforceCrm) -> list[str]:
    """Take away what there is and return what was refused."""
    return [step.name for step in crm.apply_removal(crm.plan_removal().steps) if step.refused]


@BARE
def test_what_setup_made_goes_and_nothing_else(connect: Connect, both: str, org: SalesforceOrg) -> None:
    crm = connect(both)
    before = {name: set(org.table(name).spec.fields) for name in ("Contact", "Lead")}
    list(crm.apply_setup(crm.plan_setup()))
    org.update_as_user("Contact", next(iter(org.rows("Contact"))), RF_Phone_Reason__c="x")

    planned = crm.plan_removal()

    assert {step.kind for step in planned.steps} == {"custom field", "permission set"}
    assert len(planned.steps) == 24 + 2
    assert planned.records == {"Contact": 1, "Lead": 0}
    assert {"Contact.DoNotCall", "Lead.DoNotCall"} <= {one.name for one in planned.kept}

    assert list(crm.apply_removal(planned.steps)) == planned.steps
    assert {name: set(org.table(name).spec.fields) for name in before} == before
    assert not list(org.table("PermissionSet").scan())
    assert not list(org.table("PermissionSetAssignment").scan())
    assert [one for one in crm.check() if one.level is Level.PROBLEM]
    assert not connect(both).plan_removal().steps


def test_fields_that_setup_makes_are_told_with_label_and_type(crm: SalesforceCrm) -> None:
    steps = {step.name: step for step in crm.plan_removal().steps}

    assert (steps["Contact.RF_Phone_Reason__c"].label, steps["Contact.RF_Phone_Reason__c"].type) == (
        "Phone Status Reason",
        "Text(255)",
    )


def test_half_of_it_gone_already_is_no_trouble(crm: SalesforceCrm, connect: Connect) -> None:
    steps = list(crm.plan_removal().steps)
    for step in crm.apply_removal(steps[:5]):
        assert not step.refused

    # The plan of the other one was made before.
    assert [step for step in connect().apply_removal(steps) if step.refused] == []
    assert remove(connect()) == []


def test_a_field_that_something_uses_is_told_and_the_rest_goes(connect: Connect, org: SalesforceOrg) -> None:
    org.traits = SalesforceTraits(fields_in_use={"Contact.RF_Phone_Status__c": "Flow - Call list"})
    crm = connect()

    done = list(crm.apply_removal(crm.plan_removal().steps))

    (refused,) = [step for step in done if step.refused]

    assert refused.name == "Contact.RF_Phone_Status__c"
    assert "referenced elsewhere" in refused.refused
    assert "Flow - Call list" in refused.refused
    assert [step.name for step in connect().plan_removal().steps] == ["Contact.RF_Phone_Status__c"]


@BARE
def test_a_field_of_the_mappings_own_name_stays(connect: Connect, org: SalesforceOrg) -> None:
    crm = connect(OWN_NAME)
    list(crm.apply_setup(crm.plan_setup()))

    planned = crm.plan_removal()

    assert remove(crm) == []
    assert "Contact.My_Status__c" in {one.name for one in planned.kept}
    assert "My_Status__c" in org.table("Contact").spec.fields


def test_a_user_who_may_not_is_told_what_it_takes(crm: SalesforceCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AccessError("INSUFFICIENT_ACCESS", "")

    steps = crm.plan_removal().steps
    monkeypatch.setattr("ringfence.connectors.salesforce.setup_calls.SetupCalls.delete_field", refuse)

    with pytest.raises(AccessError, match=r"RF_\w+ was not deleted.*administrator"):
        list(crm.apply_removal(steps))


def test_a_count_that_the_org_does_not_give_is_not_known(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    for name in list(org.table("Contact").spec.fields):
        if name.startswith("RF_"):
            org.hide_field("Contact", name)

    planned = crm.plan_removal()

    assert len(planned.steps) == 12
    assert planned.records == {"Contact": None}
