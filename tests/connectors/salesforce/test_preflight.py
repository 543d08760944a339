"""What `check` finds, and that it names the thing and the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import AccessError, MappingError, SchemaError
from ringfence.core.ports.crm import Finding, Level
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.schema import FieldSpec
from ringfence.sandbox.salesforce.traits import SalesforceTraits

from .conftest import CONTACTS

Connect = Callable[..., SalesforceCrm]
STATUS = "RF_Phone_Status__c"


def problems(crm: SalesforceCrm) -> list[Finding]:
    return [finding for finding in crm.check() if finding.level is Level.PROBLEM]


def only(crm: SalesforceCrm) -> Finding:
    (problem,) = problems(crm)
    assert problem.remedy
    return problem


def alter(org: SalesforceOrg, name: str, **facts: object) -> None:
    spec = org.table("Contact").spec
    spec.add(replace(spec.fields[name], **facts))  # type: ignore[arg-type]  # facts of the dataclass by name
    org.forget_access()


def test_a_good_org_is_named_with_user_and_calls_left(connect: Connect, both: str, org: SalesforceOrg) -> None:
    org.app_limit = ("ringfence", 250)

    findings = {finding.subject: finding for finding in connect(both).check()}

    assert {finding.level for finding in findings.values()} == {Level.OK}
    assert "not a production org" in findings["org"].message
    assert org.username in findings["user"].message

    calls, app_calls = findings["API calls"], findings["API calls of the app ringfence"]

    assert calls.message.startswith("79,999 of 100,000 are left")
    assert app_calls.message.startswith("199 of 250 are left")
    assert all("besides 20 % that are left to others" in finding.message for finding in (calls, app_calls))
    assert {"Contact", "Lead", "Contact.DoNotCall", "Lead.DoNotCall"} <= set(findings)


def test_describes_are_asked_for_once(connect: Connect, both: str) -> None:
    crm = connect(both)
    crm.check()
    crm.check()
    crm.plan_setup()

    assert crm.calls["describe"] == 2 + 2  # two objects, and the user each time
    assert crm.calls["login"] == 1


@pytest.mark.parametrize(
    ("is_sandbox", "edition", "production"),
    [
        (True, "Enterprise Edition", False),
        (False, "Enterprise Edition", True),
        (False, "Developer Edition", False),
    ],
)
def test_production_is_neither_a_sandbox_nor_a_developer_edition(
    crm: SalesforceCrm, org: SalesforceOrg, is_sandbox: bool, edition: str, production: bool
) -> None:
    row = org.table("Organization").rows[org.org_id]
    row["IsSandbox"], row["OrganizationType"] = is_sandbox, edition

    assert crm.identify().production is production
    assert crm.identify().key == f"salesforce:{org.org_id}"
    assert crm.calls == {"login": 1}


def test_a_token_that_does_not_tell_its_user_is_a_warning(
    crm: SalesforceCrm, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.traits = SalesforceTraits(userinfo="missing")
    monkeypatch.setattr(type(org), "identity", "")

    (warning,) = [finding for finding in crm.check() if finding.level is Level.WARNING]

    assert warning.subject == "user"
    assert org.access_token not in warning.message


def test_few_calls_left_are_a_warning(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.api_limit, org.api_usage = 1_000, 750

    (warning,) = [finding for finding in crm.check() if finding.level is Level.WARNING]

    assert warning.subject == "API calls"
    assert "DAILY_RESERVE" in warning.remedy


@pytest.mark.parametrize("name", [STATUS, "DoNotCall", "Phone"])
def test_a_hidden_field_looks_missing_and_says_so(crm: SalesforceCrm, org: SalesforceOrg, name: str) -> None:
    org.hide_field("Contact", name)

    problem = only(crm)

    assert problem.subject == f"Contact.{name}"
    assert "field-level security" in problem.message
    assert problem.error is SchemaError
    assert ("ringfence setup salesforce" in problem.remedy) is (name != "Phone")


@pytest.mark.parametrize("name", [STATUS, "DoNotCall", "MobilePhone"])
def test_a_field_that_is_written_has_to_be_editable(crm: SalesforceCrm, org: SalesforceOrg, name: str) -> None:
    org.make_readonly("Contact", name)

    problem = only(crm)

    assert problem.subject == f"Contact.{name}"
    assert problem.error is AccessError


def test_a_field_that_is_only_read_need_not_be_editable(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.make_readonly("Contact", "Phone")
    org.make_readonly("Contact", "MailingCountry")

    assert problems(crm) == []


def test_misspelt_names_are_guessed(connect: Connect) -> None:
    text = "crm: salesforce\nobjects:\n  Contacts:\n    phones: {Phone: {}}\n"

    problem = only(connect(text))

    assert "did you mean 'Contact'?" in problem.message

    problem = only(connect(region="{field: MailingContry}"))

    assert problem.subject == "Contact.MailingContry"
    assert "did you mean 'MailingCountry'?" in problem.message


def test_names_in_another_case_are_a_problem(connect: Connect) -> None:
    text = "crm: salesforce\nobjects:\n  contact:\n    phones: {Phone: {}}\n"

    assert "Contact" in only(connect(text)).message
    assert "did you mean 'MailingCountry'?" in only(connect(region="{field: mailingcountry}")).message


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"picklist": ("valid", "invalid"), "restricted": True}, "lacks do_not_contact, wrong_person, disconnected"),
        ({"type": "boolean"}, "of the type boolean"),
        ({"type": "string", "length": 8}, "holds 8 characters"),
        ({"filterable": False}, "cannot be asked for"),
    ],
)
def test_a_companion_that_does_not_fit_is_named(
    crm: SalesforceCrm, org: SalesforceOrg, facts: dict[str, object], says: str
) -> None:
    alter(org, STATUS, **facts)

    problem = only(crm)

    assert problem.subject == f"Contact.{STATUS}"
    assert says in problem.message


def test_a_restricted_status_is_warned_of(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.restrict_picklist("Contact", STATUS)

    (warning,) = [finding for finding in crm.check() if finding.level is Level.WARNING]

    assert warning.subject == f"Contact.{STATUS}"
    assert "record type" in warning.message
    assert problems(crm) == []


def test_a_plain_text_status_fits(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    alter(org, STATUS, type="string", length=40, picklist=(), restricted=False)
    assert problems(crm) == []


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("{field: DoNotCall, true_values: ['yes']}", "is a checkbox"),
        ("{field: Department, true_values: [true]}", "holds text"),
        ("{field: CleanStatus, true_values: [Skiped]}", "did you mean 'Skipped'?"),
    ],
)
def test_opt_out_values_have_to_fit_the_field(connect: Connect, flag: str, says: str) -> None:
    problem = only(connect(opt_out=flag))

    assert says in problem.message
    assert problem.error is MappingError


@pytest.mark.parametrize(
    ("consent", "says"),
    [
        ("{field: HasOptedOutOfFax, given: ['no'], withdrawn: [true]}", "never holds 'no'"),
        ("{field: CleanStatus, given: [Matched], withdrawn: [Gone]}", "never holds 'Gone'"),
        ("{field: Department, given: [x], withdrawn: [y], at: HasOptedOutOfFax}", "is of the type boolean"),
    ],
)
def test_consent_that_the_field_can_never_tell_is_a_warning(connect: Connect, consent: str, says: str) -> None:
    findings = connect(consent=consent).check()

    (warning,) = [finding for finding in findings if finding.level is Level.WARNING]
    assert says in warning.message


def test_no_opt_out_is_a_warning(connect: Connect) -> None:
    crm = connect("crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {}}\n")

    (warning,) = [finding for finding in crm.check() if finding.level is Level.WARNING]

    assert "opt-out" in warning.message
    assert problems(crm) == []


@pytest.mark.parametrize("condition", ["Nonsense__c = 1", "MailingCountry = ", "MailingCountry = 'US' AND"])
def test_a_wrong_filter_is_quoted_in_the_words_of_the_org(connect: Connect, condition: str) -> None:
    problem = only(connect(filter=f'"{condition}"'))

    assert problem.subject == "Contact.filter"
    assert any(code in problem.message for code in ("INVALID_FIELD", "MALFORMED_QUERY"))


def test_a_good_filter_is_tried(connect: Connect, both: str) -> None:
    subjects = [finding.subject for finding in connect(both, filter="\"Country != 'US' OR Country = null\"").check()]
    assert "Lead.filter" in subjects


@pytest.mark.parametrize(("name", "cost"), [("Phone", "never screened"), ("Department", "full read")])
def test_a_field_that_no_query_may_ask_for_is_a_warning_with_its_cost(
    connect: Connect, org: SalesforceOrg, name: str, cost: str
) -> None:
    org.encrypt_field("Contact", name)

    findings = connect(opt_out="{field: Department, true_values: [never]}").check()

    (warning,) = [finding for finding in findings if finding.level is Level.WARNING]
    assert warning.subject == f"Contact.{name}"
    assert cost in warning.message
    assert "2,000" in warning.remedy


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [("MailingCountry", "address", "a country"), ("Phone", "double", "phone number"), ("DoNotCall", "date", "opt-out")],
)
def test_a_type_that_does_not_fit_is_named(
    connect: Connect, org: SalesforceOrg, name: str, kind: str, word: str
) -> None:
    alter(org, name, type=kind)

    found = [finding for finding in problems(connect()) if kind in finding.message]

    assert found[0].subject == f"Contact.{name}"
    assert word in found[0].message
    assert found[0].error is MappingError


def test_the_part_of_an_address_that_holds_the_country_is_named(connect: Connect, org: SalesforceOrg) -> None:
    org.add_field("Contact", FieldSpec("MailingAddress", "string", "Mailing Address"), visible=True)
    alter(org, "MailingAddress", type="address")

    (found,) = problems(connect(CONTACTS.replace("MailingCountry", "MailingAddress")))

    assert found.subject == "Contact.MailingAddress"
    assert found.remedy == "Map the one that holds the country: MailingCountry."
    assert found.error is MappingError


@pytest.mark.parametrize(
    ("kind", "multiple", "remedy"),
    [("multipicklist", "false", "multiple: true"), ("picklist", "true", "out of the mapping")],
)
def test_whether_an_opt_out_field_holds_several_values_has_to_agree(
    connect: Connect, org: SalesforceOrg, kind: str, multiple: str, remedy: str
) -> None:
    alter(org, "Department", type=kind)

    found = only(connect(opt_out=f"{{field: Department, true_values: [never], multiple: {multiple}}}"))

    assert found.subject == "Contact.Department"
    assert remedy in found.remedy
