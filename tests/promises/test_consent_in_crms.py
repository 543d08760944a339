"""Consent in a field of either CRM: a withdrawal is found by the next sync, and ringfence never writes the field."""

from __future__ import annotations

import pytest

from ringfence.sandbox.hubspot.definitions import Definition
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.schema import FieldSpec
from testkit.account import Account
from testkit.commands import Cli

PHONE = "+1 415 555 0132"
CONSENT = "{field: Phone_Consent__c, given: [Yes], withdrawn: [No], purposes: [marketing]}"
FIELDS = {
    "picklist": FieldSpec("Phone_Consent__c", "picklist", "Consent", length=40, picklist=("Yes", "No"), custom=True),
    "boolean": FieldSpec("Phone_Consent__c", "boolean", "Consent", custom=True, nillable=False),
}


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize("people", [0])
@pytest.mark.parametrize(("kind", "given", "withdrawn"), [("picklist", "Yes", "no"), ("boolean", True, False)])
def test_a_withdrawal_in_salesforce_silences_all_who_hold_the_number(
    account: Account, command: Cli, kind: str, given: str | bool, withdrawn: str | bool
) -> None:
    account.sandbox.salesforce.add_field("Contact", FIELDS[kind], visible=True)
    objects = f"Contact: {{phones: {{Phone: {{}}}}, opt_out: {{field: DoNotCall}}, consent: {CONSENT}}}"
    (account.folder / "mapping.yaml").write_text(f"crm: salesforce\nobjects: {{{objects}}}\n", encoding="utf-8")
    asks, other, stranger = account.add(3, phone=PHONE)
    account.edit(stranger, phone="+1 212 555 0199")
    for key in (asks, other, stranger):
        account.set(key, Phone_Consent__c=given)
    arguments = ("sync", account.crm, "--json", "--mapping", "mapping.yaml")
    assert command(*arguments).code == 0

    account.pass_time(minutes=20)
    account.set(asks, Phone_Consent__c=withdrawn)
    result = command(*arguments)

    assert result.code == 0, result.err
    rows = account.rows()
    assert [rows[key]["DoNotCall"] for key in (asks, other, stranger)] == [True, True, False]
    assert [rows[key][account.companion("status")] == "do_not_contact" for key in (asks, other, stranger)] == [
        *(True, True, False),
    ]
    assert "consent was withdrawn on this record" in str(rows[asks][account.companion("reason")])
    assert rows[asks]["Phone_Consent__c"] == withdrawn


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [0])
def test_a_withdrawal_in_hubspot_does_too(account: Account, command: Cli) -> None:
    choices = [{"label": each, "value": each, "displayOrder": 1, "hidden": False} for each in ("Yes", "No")]
    properties = account.sandbox.hubspot.definitions["contacts"]
    properties["phone_consent"] = Definition(
        "phone_consent", "Consent", "enumeration", "select", "contactinformation", "2026-01-01T00:00:00Z", choices
    )
    consent = "{field: phone_consent, given: [Yes], withdrawn: [No]}"
    objects = f"contacts: {{phones: {{phone: {{}}}}, opt_out: {{field: rf_do_not_call}}, consent: {consent}}}"
    (account.folder / "mapping.yaml").write_text(f"crm: hubspot\nobjects: {{{objects}}}\n", encoding="utf-8")
    asks, other = account.add(2, phone=PHONE)
    account.set(asks, phone_consent="Yes")
    arguments = ("sync", account.crm, "--json", "--mapping", "mapping.yaml")
    assert command(*arguments).code == 0

    account.pass_time(minutes=20)
    account.set(asks, phone_consent="No")
    result = command(*arguments)

    assert result.code == 0, result.err
    rows = account.rows()
    assert [rows[key]["rf_do_not_call"] for key in (asks, other)] == ["true", "true"]
    assert [rows[key]["rf_phone_status"] for key in (asks, other)] == ["do_not_contact"] * 2
    assert rows[asks]["phone_consent"] == "No"


@pytest.mark.parametrize("crm", ["hubspot"])
@pytest.mark.parametrize("people", [0])
def test_a_lift_names_the_record_on_which_consent_was_withdrawn(account: Account, command: Cli) -> None:
    account.sandbox.hubspot.definitions["contacts"]["phone_consent"] = Definition(
        "phone_consent", "Consent", "string", "text", "contactinformation", "2026-01-01T00:00:00Z", []
    )
    consent = "{field: phone_consent, given: [Yes], withdrawn: [No]}"
    objects = f"contacts: {{phones: {{phone: {{}}}}, opt_out: {{field: rf_do_not_call}}, consent: {consent}}}"
    (account.folder / "hubspot.yaml").write_text(f"crm: hubspot\nobjects: {{{objects}}}\n", encoding="utf-8")
    account.extra["RINGFENCE_MAPPINGS"] = str(account.folder)
    (asks,) = account.add(1, phone=PHONE)
    account.set(asks, phone_consent="No")
    assert command("sync", account.crm, "--json").code == 0

    lifted = command("suppress", "lift", PHONE, "--reason", "a mistake", "--yes", "--json")

    kept = {"kind": "opted_out", "list": None, "consent": f"hubspot:contacts:{asks[1]}"}
    assert (lifted.code, lifted.document["kept"], lifted.document["flags_lowered"]) == (0, [kept], {"hubspot": 0})
    assert lifted.document["still_suppressed"] is True
    assert account.rows()[asks]["rf_do_not_call"] == "true"


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize("people", [0])
def test_a_lookup_for_a_purpose_buys_only_where_consent_on_record_covers_it(account: Account, command: Cli) -> None:
    account.sandbox.salesforce.add_field("Contact", FIELDS["picklist"], visible=True)
    objects = f"Contact: {{phones: {{Phone: {{}}}}, opt_out: {{field: DoNotCall}}, consent: {CONSENT}}}"
    (account.folder / "mapping.yaml").write_text(f"crm: salesforce\nobjects: {{{objects}}}\n", encoding="utf-8")
    gives, says_nothing, withdrew = account.add(3, phone=PHONE)
    account.edit(says_nothing, phone="+1 212 555 0199")
    account.edit(withdrew, phone="+1 212 555 0177")
    account.set(gives, Phone_Consent__c="Yes")
    account.set(withdrew, Phone_Consent__c="No")
    before = command("lookup", PHONE, "--purpose", "marketing", "--sandbox", "--json").document
    assert command("sync", account.crm, "--json", "--mapping", "mapping.yaml").code == 0
    bought = account.asked.total()

    def ask(number: str, purpose: str = "marketing") -> tuple[object, ...]:
        done = command("lookup", number, "--purpose", purpose, "--sandbox", "--json")
        return done.code, *(done.document[each] for each in ("status", "callable", "left_out"))

    status, *covered = ask(PHONE)[1:]
    assert (status in {"active", "valid"}, covered) == (True, [True, None])
    assert ask(PHONE, "service") == ask("+1 212 555 0199") == ask("+1 212 555 0100") == (0, None, False, "no_consent")
    assert ask("+1 212 555 0177") == (0, "do_not_contact", False, "no_consent")
    assert command("lookup", PHONE, "--purpose", " ", "--json").code == 2
    assert account.asked.total() == bought
    assert before["left_out"] == "no_consent"
    held = command("state", "export", PHONE, "--json").document["consents"]
    assert [(each["id"], each["purposes"]) for each in held] == [(gives[1], ["marketing"])]


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize("people", [0])
@pytest.mark.parametrize("org_file", [parse_org("salesforce: {data_protection: true}", "test")])
def test_a_refusal_on_an_individual_silences_and_ends_with_it(account: Account, command: Cli) -> None:
    asks, other = account.add(2, phone=PHONE)
    individual = account.sandbox.salesforce.create_as_user("Individual", LastName="Doe")
    account.set(asks, IndividualId=individual)
    arguments = ("sync", account.crm, "--json")
    assert command(*arguments).code == 0

    account.pass_time(minutes=20)
    account.sandbox.salesforce.update_as_user("Individual", individual, HasOptedOutSolicit=True)
    assert command(*arguments).code == 0

    rows = account.rows()
    assert [rows[key]["DoNotCall"] for key in (asks, other)] == [True, True]
    assert "consent was withdrawn on this record" in str(rows[asks][account.companion("reason")])
    assert [rows[key][account.companion("status")] for key in (asks, other)] == ["do_not_contact"] * 2

    account.pass_time(minutes=20)
    account.sandbox.salesforce.update_as_user("Individual", individual, HasOptedOutSolicit=False)
    for key in (asks, other):
        account.set(key, DoNotCall=False)
    assert command(*arguments).code == 0

    rows = account.rows()
    assert [rows[key]["DoNotCall"] for key in (asks, other)] == [False, False]
    assert "do_not_contact" not in [rows[key][account.companion("status")] for key in (asks, other)]
