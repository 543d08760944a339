"""Setup makes an org ready, whatever an earlier run has left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.errors import AnswerError, Fault
from ringfence.core.errors import AccessError, MappingError, SchemaError
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Depth, Level
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg

Connect = Callable[..., SalesforceCrm]
QUESTIONS = 2 * 3 + 1
"""Calls that ask what is there: fields, permission sets and whose token it is, for two plans; then the sets' ids."""

BARE = pytest.mark.parametrize("sandbox", [{"contacts": 4, "bare": True}], indirect=True)


def run(crm: SalesforceCrm) -> Counter[str]:
    steps = crm.plan_setup()
    assert list(crm.apply_setup(steps)) == steps
    return Counter(step.kind for step in steps)


def is_ready(crm: SalesforceCrm) -> bool:
    return crm.plan_setup() == [] and not [finding for finding in crm.check() if finding.level is Level.PROBLEM]


@BARE
def test_an_org_without_fields_becomes_ready(connect: Connect, both: str, org: SalesforceOrg) -> None:
    crm = connect(both)

    assert not is_ready(crm)

    made = run(crm)

    # To be seen: companions and flags. To be edited: MobilePhone of Contact too, which the mapping normalises.
    grants = (24 + 2) + (24 + 2 + 1)

    assert made == {"custom field": 24, "permission set": 2, "field permission": grants, "assignment": 1}
    assert is_ready(crm)
    assert is_ready(connect(both))

    fields = org.table("Contact").spec.fields

    status = fields["RF_Phone_Status__c"]

    assert (status.type, status.restricted, status.picklist) == ("picklist", False, tuple(Status))

    lengths = {name: fields[f"RF_Phone_{name}__c"].length for name in ("Reason", "E164", "Line_Type", "Screened_Value")}

    assert lengths == {"Reason": 255, "E164": 16, "Line_Type": 20, "Screened_Value": 80}
    assert fields["RF_Phone_Last_Screened__c"].type == "datetime"
    # One call for each field; the grants of both permission sets share one.
    assert crm.calls["setup"] == 24 + 2 + 1 + 1 + QUESTIONS


@BARE
@pytest.mark.parametrize("done", [1, 11, 12, 13, 14, 15, 30, 41])
def test_a_run_that_broke_off_is_completed(connect: Connect, done: int) -> None:
    crm = connect()
    steps = crm.plan_setup()
    applying = crm.apply_setup(steps)

    for _ in range(done):
        next(applying)

    applying.close()

    rest = connect()

    # Behind the fields and the permission sets come the grants, all of them in one call.
    assert len(rest.plan_setup()) == (len(steps) - done if done <= 14 else 1)

    run(rest)

    assert is_ready(rest)


@BARE
def test_two_runs_at_once_end_well(connect: Connect) -> None:
    first, second = connect(), connect()

    steps, same = first.plan_setup(), second.plan_setup()

    assert list(first.apply_setup(steps)) == steps
    assert list(second.apply_setup(same)) == same
    assert is_ready(first)


@pytest.mark.parametrize("hide", [True, False])
def test_fields_that_are_there_but_not_editable_are_granted(connect: Connect, org: SalesforceOrg, hide: bool) -> None:
    restrict = org.hide_field if hide else org.make_readonly
    for name in ("RF_Phone_Status__c", "DoNotCall"):
        restrict("Contact", name)

    crm = connect()

    assert "custom field" not in run(crm)
    assert is_ready(crm)


def test_a_grant_that_only_reads_is_raised(connect: Connect, org: SalesforceOrg) -> None:
    org.make_readonly("Contact", "DoNotCall")
    run(connect())
    org.make_readonly("Contact", "DoNotCall")
    crm = connect()

    (step,) = crm.plan_setup()

    assert step.name == "Contact.DoNotCall"

    run(crm)

    assert is_ready(crm)


def test_nothing_to_do_asks_nothing(crm: SalesforceCrm) -> None:
    assert crm.plan_setup() == []
    assert crm.calls == {"describe": 1}


def test_a_standard_field_cannot_be_created(connect: Connect) -> None:
    text = "crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {companions: {status: PhoneStatus}}}\n"

    with pytest.raises(SchemaError, match=r"Contact\.PhoneStatus.*only custom fields"):
        connect(text).plan_setup()


@BARE
def test_a_refused_field_is_named_and_the_others_are_created(connect: Connect) -> None:
    text = "crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {companions: {status: RF__Status__c}}}\n"
    crm = connect(text)

    done = list(crm.apply_setup(crm.plan_setup()))
    refused = [step for step in done if step.refused]

    assert {step.name for step in refused} == {"Contact.RF__Status__c"}
    assert "consecutive" in refused[0].refused
    assert sum(step.kind == "custom field" and not step.refused for step in done) == 5
    assert {step.name for step in connect(text).plan_setup()} == {"Contact.RF__Status__c"}


@BARE
def test_fields_of_a_custom_object_are_found_by_its_id(connect: Connect, org: SalesforceOrg) -> None:
    org.add_object("Visit__c", "Visit", {"Home_Phone__c": "phone 40 | Home Phone"})
    text = "crm: salesforce\nobjects:\n  Visit__c:\n    phones: {Home_Phone__c: {}}\n"
    crm = connect(text)

    list(crm.apply_setup(crm.plan_setup()[:3]))

    assert org.table_key("Visit__c").startswith("01I")

    rest = connect(text).plan_setup()

    assert sum(step.kind == "custom field" for step in rest) == 3
    assert all(not step.refused for step in connect(text).apply_setup(rest))
    assert connect(text).plan_setup() == []


@BARE
def test_a_token_that_does_not_tell_whose_it_is_leaves_the_assignment_to_people(
    crm: SalesforceCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AccessError("no", "scope")

    monkeypatch.setattr("ringfence.connectors.salesforce.setup_calls.SetupCalls.user_id", refuse)

    done = list(crm.apply_setup(crm.plan_setup()))

    (refused,) = [step for step in done if step.refused]

    assert refused.kind == "assignment"
    assert "sf org assign permset --name RF_Ringfence" in refused.refused


@BARE
def test_an_org_that_shows_no_permission_sets_gets_its_fields_all_the_same(
    crm: SalesforceCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AnswerError("no", "", Fault("INVALID_TYPE", "sObject type 'PermissionSet' is not supported."))

    monkeypatch.setattr("ringfence.connectors.salesforce.setup.find_permission_sets", refuse)

    assert sum(step.kind == "custom field" for step in crm.plan_setup()) == 12


@BARE
def test_people_read_labels_and_help(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    run(crm)

    fields = org.table("Contact").spec.fields
    status = fields["RF_MobilePhone_Status__c"]

    assert (status.label, status.picklist_labels[0]) == ("Mobile Phone Status", "Do not contact")
    assert "do not call" in (status.help or "")
    assert all(field.help for name, field in fields.items() if name.startswith("RF_"))


def test_labels_that_somebody_changed_are_told_and_left(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    spec = org.table("Contact").spec
    for name in ("RF_Phone_Status__c", "RF_Phone_Reason__c"):
        spec.add(replace(spec.fields[name], label="RF old"))

    assert crm.plan_setup() == []

    (remark,) = crm.setup_remarks()

    assert "Contact.RF_Phone_Status__c is labelled 'RF old', where set-up says 'Phone Status'; so are 1 more" in remark


@pytest.mark.parametrize(
    ("slot", "companion", "name"),
    [
        ("Phone", Companion.STATUS, "RF_Phone_Status__c"),
        ("MobilePhone", Companion.LAST_SCREENED, "RF_MobilePhone_Last_Screened__c"),
        ("Home_Phone__c", Companion.STATUS, "RF_Home_Phone_Status__c"),
        ("acme__Direct__c", Companion.E164, "RF_acme_Direct_E164__c"),
    ],
)
def test_companions_are_named_after_the_slot(slot: str, companion: Companion, name: str) -> None:
    assert plugin.companion_name(slot, companion) == name


def test_a_name_that_is_too_long_is_refused_with_the_way_out() -> None:
    longest = "A" * 22

    assert len(plugin.companion_name(longest, Companion.SCREENED_VALUE)) == 40 + len("__c")

    with pytest.raises(MappingError, match=r"1 characters too long.*companions: \{screened_value: "):
        plugin.companion_name(longest + "A", Companion.SCREENED_VALUE)


SEEN = parse_org("salesforce: {data_protection: true}", "test")
HIDDEN = parse_org("salesforce: {data_protection: true, hidden_objects: [Individual, ContactPointTypeConsent]}", "test")


@pytest.mark.parametrize("sandbox", [{"contacts": 4, "org": HIDDEN}], indirect=True)
def test_what_individuals_refuse_is_made_heard(connect: Connect, org: SalesforceOrg) -> None:
    org.profile["Individual", "HasOptedOutSolicit"] = (False, False)
    crm = connect()
    deaf = [each.level for each in crm.check(Depth.DOCTOR) if each.subject == "Individual"]

    made = run(crm)

    assert deaf == [Level.WARNING]
    assert made["object permission"] == 2
    assert [each.level for each in connect().check(Depth.DOCTOR) if each.subject == "Individual"] == [Level.OK]
    assert "HasOptedOutSolicit" in org.access("Individual").spec.fields
    assert "hasoptedoutsolicit" in org.access("Individual").visible
    assert connect().plan_setup() == []
    assert all(row["PermissionsEdit"] is not True for row in org.table("ObjectPermissions").scan())


@pytest.mark.parametrize("sandbox", [{"contacts": 4, "org": SEEN}], indirect=True)
def test_individuals_that_are_heard_need_nothing(connect: Connect) -> None:
    assert connect().plan_setup() == []
