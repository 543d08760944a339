"""SOQL as people write it into filters: relationships, date literals, semi-joins, figures, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.soql.days import read_days

from .conftest import Api


def names(api: Api, where: str) -> list[str]:
    """Return the first names of the contacts under a condition. Contacts 1 to 4 changed 1 to 4 days before noon."""
    return [
        row["FirstName"] for row in api.query(f"SELECT FirstName FROM Contact WHERE {where} ORDER BY Id")["records"]
    ]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Account.Name = 'acme'", ["First1", "First2", "Zoë", "First4"]),
        ("Account.Name LIKE 'bolt%'", []),
        ("Owner.IsActive = true AND Owner.Name != 'Nobody'", ["First1", "First2", "Zoë", "First4"]),
        ("Contact.Account.Owner.LastName = 'Sales' AND Contact.FirstName = 'zoë'", ["Zoë"]),
        ("LastModifiedDate = YESTERDAY", ["First1"]),
        ("LastModifiedDate = last_n_days:2", ["First1", "First2"]),
        ("LastModifiedDate < LAST_N_DAYS:2", ["Zoë", "First4"]),
        ("LastModifiedDate >= N_DAYS_AGO:3", ["First1", "First2", "Zoë"]),
        ("LastModifiedDate > N_DAYS_AGO:3", ["First1", "First2"]),
        ("LastModifiedDate <= N_DAYS_AGO:3", ["Zoë", "First4"]),
        ("LastModifiedDate != THIS_WEEK", ["Zoë", "First4"]),
        ("LastModifiedDate IN (YESTERDAY, N_DAYS_AGO:4)", ["First1", "First4"]),
        ("CreatedDate = THIS_FISCAL_QUARTER", ["First1", "First2", "Zoë", "First4"]),
        ("Birthdate = TODAY", []),
        ("CALENDAR_YEAR(LastModifiedDate) = 2026 AND DAY_ONLY(LastModifiedDate) = 2026-11-21", ["Zoë"]),
        ("Id IN (SELECT ContactId FROM CampaignMember)", ["First1", "Zoë"]),
        ("Id NOT IN (SELECT ContactId FROM CampaignMember WHERE Status = 'Sent')", ["First2", "First4"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme') AND Phone = null", ["First2"]),
        (
            "Id IN (SELECT ContactId FROM CampaignMember WHERE Campaign.IsActive = true) AND (Phone = null OR LastName"
            " = 'O\\'Neil')",
            ["Zoë"],
        ),
        ("toLabel(LeadSource) = 'other'", ["Zoë"]),
        ("Title = null AND (NOT LastName LIKE 'last%')", ["Zoë"]),
        ("NOT(LastName LIKE 'last%' OR Phone = null)", ["Zoë"]),
    ],
)
def test_conditions(api: Api, where: str, found: list[str]) -> None:
    assert names(api, where) == found


@pytest.mark.parametrize(
    ("where", "code", "message"),
    [
        ("Boss.Name = 'x'", "INVALID_FIELD", "Didn't understand relationship 'Boss' in field path. If you are"),
        ("Account.Nam = 'x'", "INVALID_FIELD", "No such column 'Nam' on entity 'Account'."),
        ("Account.Description = 'x'", "INVALID_FIELD", "field 'Description' can not be filtered in a query call"),
        ("Title = null AND NOT (Phone = null)", "MALFORMED_QUERY", "unexpected token: 'NOT'"),
        ("LastName = LAST_N_DAYS:3", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"),
        ("CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY", "unexpected token: 'LAST_N_DAYS'"),
        ("CreatedDate = LAST_N_AGES:3", "MALFORMED_QUERY", "unexpected token: 'LAST_N_AGES:3'"),
        (
            "Id IN (SELECT ContactId FROM CampaignMember) OR Phone = null",
            "MALFORMED_QUERY",
            "Semi join sub-selects are not allowed with the 'OR' operator",
        ),
        (
            "Phone = null AND (Id IN (SELECT ContactId FROM CampaignMember))",
            "MALFORMED_QUERY",
            "Semi join sub-selects are only allowed at the top level WHERE expressions",
        ),
        (
            " AND ".join(["Id IN (SELECT ContactId FROM CampaignMember)"] * 3),
            "MALFORMED_QUERY",
            "Maximum 2 semi join sub-selects are allowed",
        ),
        ("Id IN (SELECT Id FROM Contact)", "MALFORMED_QUERY", "should not be on the same object type"),
        ("Id IN (SELECT LeadId FROM CampaignMember)", "MALFORMED_QUERY", "should point to the same object type"),
        ("LastName IN (SELECT Name FROM Account)", "MALFORMED_QUERY", "should point to the same object type"),
        (
            "Id IN (SELECT ContactId FROM CampaignMember WHERE CampaignId IN (SELECT Id FROM Campaign))",
            "MALFORMED_QUERY",
            "Nesting of semi join sub-selects is not supported",
        ),
        ("Id IN (SELECT ContactId FROM CampaignMember LIMIT 1)", "MALFORMED_QUERY", "unexpected token: 'LIMIT'"),
        ("LastName EXCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on string field"),
        ("CALENDAR_YEAR(LastName) = 2026", "INVALID_FIELD", "does not support date function CALENDAR_YEAR"),
        ("COUNT(Id) > 1", "MALFORMED_QUERY", "unexpected token: 'COUNT'"),
    ],
)
def test_refused_conditions(api: Api, where: str, code: str, message: str) -> None:
    status, error = api.refusal("GET", "/query", params={"q": f"SELECT Id FROM Contact WHERE {where}"})

    assert (status, error["errorCode"]) == (400, code)
    assert message in error["message"]


def test_the_caret_points_at_the_path(api: Api) -> None:
    _, error = api.refusal("GET", "/query", params={"q": "SELECT Id FROM Contact WHERE Boss.Name = 'x'"})

    picture = error["message"].split("\n")

    assert picture[1][picture[2].index("^") :].startswith("Boss.Name")
    assert picture[3] == "ERROR at Row:1:Column:30"


def test_parents_are_shown_within_their_relationship(api: Api, contacts: list[str], org: SalesforceOrg) -> None:
    org.update_as_user("Contact", contacts[0], AccountId=None)
    soql = "SELECT c.Id, Account.Name, Account.Owner.Name FROM Contact c ORDER BY Account.Name, Id LIMIT 2"

    first, second = api.query(soql)["records"]

    assert first["Account"] is None
    assert (second["Account"]["Name"], second["Account"]["Owner"]["Name"]) == ("Acme", "Casey Sales")
    assert second["Account"]["attributes"]["type"] == "Account"


def test_children_are_shown_within_their_parent(api: Api) -> None:
    soql = "SELECT Name, (SELECT FirstName FROM Contacts WHERE Phone != null ORDER BY FirstName DESC) FROM Account"

    (account,) = api.query(soql)["records"]

    assert [row["FirstName"] for row in account["Contacts"]["records"]] == ["Zoë", "First4", "First1"]
    assert (
        api.query("SELECT Name, (SELECT Id FROM Contacts WHERE Title != null) FROM Account")["records"][0]["Contacts"]
        is None
    )


@pytest.mark.parametrize(
    ("soql", "figures"),
    [
        ("SELECT COUNT(Id) n, MAX(FirstName) FROM Contact", [{"n": 4, "expr0": "Zoë"}]),
        (
            "SELECT LeadSource, COUNT(Id) FROM Contact GROUP BY LeadSource ORDER BY COUNT(Id) DESC",
            [{"LeadSource": "Web", "expr0": 3}, {"LeadSource": "Other", "expr0": 1}],
        ),
        (
            "SELECT LeadSource FROM Contact GROUP BY LeadSource HAVING COUNT(Id) > 1 AND LeadSource != null",
            [{"LeadSource": "Web"}],
        ),
        ("SELECT Account.Name, COUNT(Id) n FROM Contact GROUP BY Account.Name", [{"Name": "Acme", "n": 4}]),
        ("SELECT COUNT_DISTINCT(Phone) FROM Contact", [{"expr0": 3}]),
        ("SELECT CALENDAR_MONTH(CreatedDate) m, COUNT(Id) n FROM Contact GROUP BY CALENDAR_MONTH(CreatedDate)",
         [{"m": 10, "n": 4}]),
    ],
)  # fmt: skip
def test_figures(api: Api, soql: str, figures: list[dict[str, Any]]) -> None:
    body = api.query(soql)

    assert body["totalSize"] == len(figures)
    assert body["records"] == [{"attributes": {"type": "AggregateResult"}, **each} for each in figures]


def test_all_fields_need_a_limit(api: Api) -> None:
    (row,) = api.query("SELECT FIELDS(STANDARD) FROM Contact WHERE FirstName = 'Zoë'")["records"]

    assert {"Id", "LastName", "Description"} <= row.keys()
    assert not [name for name in row if name.endswith("__c")]

    (row,) = api.query("SELECT FIELDS(ALL) FROM Contact WHERE FirstName = 'Zoë' LIMIT 200")["records"]

    assert "RF_Phone_Status__c" in row

    _, error = api.refusal("GET", "/query", params={"q": "SELECT FIELDS(ALL) FROM Contact LIMIT 201"})

    assert error["message"] == "The SOQL FIELDS function must have a LIMIT of at most 200"


@pytest.mark.parametrize(
    ("word", "first", "end"),
    [
        ("TODAY", "2026-02-03", "2026-02-04"),
        ("LAST_90_DAYS", "2025-11-05", "2026-02-04"),
        ("NEXT_90_DAYS", "2026-02-04", "2026-05-05"),
        ("NEXT_N_DAYS:1", "2026-02-04", "2026-02-05"),
        ("THIS_WEEK", "2026-02-01", "2026-02-08"),
        ("LAST_N_WEEKS:2", "2026-01-18", "2026-02-01"),
        ("LAST_MONTH", "2026-01-01", "2026-02-01"),
        ("N_MONTHS_AGO:2", "2025-12-01", "2026-01-01"),
        ("NEXT_N_QUARTERS:2", "2026-04-01", "2026-10-01"),
        ("LAST_FISCAL_QUARTER", "2025-10-01", "2026-01-01"),
        ("LAST_N_FISCAL_YEARS:3", "2023-01-01", "2026-01-01"),
        ("N_FISCAL_YEARS_AGO:1", "2025-01-01", "2026-01-01"),
        ("NEXT_YEAR", "2027-01-01", "2028-01-01"),
    ],
)
def test_date_literals(word: str, first: str, end: str) -> None:
    assert read_days(word, date(2026, 2, 3)) == (date.fromisoformat(first), date.fromisoformat(end))


def test_bulk_reads_parents_and_refuses_what_it_cannot_split(api: Api) -> None:
    body = {"operation": "query", "query": "SELECT Id, Account.Name FROM Contact WHERE Account.Name = 'Acme'"}
    job = api("POST", "/jobs/query", json=body).json()
    while api("GET", f"/jobs/query/{job['id']}").json()["state"] != "JobComplete":
        pass

    lines = api("GET", f"/jobs/query/{job['id']}/results").text.splitlines()

    assert lines[0] == '"Id","Account.Name"'
    assert len(lines) == 5

    for soql in ("SELECT COUNT(Id) FROM Contact", "SELECT Id, (SELECT Id FROM Contacts) FROM Account"):
        status, error = api.refusal("POST", "/jobs/query", json={"operation": "query", "query": soql})

        assert (status, "not supported in Bulk Query" in error["message"]) == (400, True)
