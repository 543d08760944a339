"""SOQL: what a query finds, how it is paged, and how it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.sandbox.salesforce.table import Row

from .conftest import Api

FIRST_NAMES = ["First1", "First2", "Zoë", "First4"]


def found(api: Api, where: str) -> list[str]:
    records = api.query(f"SELECT FirstName FROM Contact WHERE {where} ORDER BY Id")["records"]
    return [record["FirstName"] for record in records]


def test_shows_attributes_first_and_fields_as_asked(api: Api, contacts: list[str]) -> None:
    body = api.query("select phone, ID, DoNotCall from contact where Id = '" + contacts[0][:15] + "'")

    assert body == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Contact", "url": f"/services/data/v65.0/sobjects/Contact/{contacts[0]}"},
                "Phone": "+1 415 555 0101",
                "Id": contacts[0],
                "DoNotCall": False,
            }
        ],
    }
    assert list(body["records"][0]) == ["attributes", "Phone", "Id", "DoNotCall"]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("FirstName = 'FIRST1'", ["First1"]),
        ("LastName = 'O\\'Neil'", ["Zoë"]),
        ("FirstName = 'zoë'", ["Zoë"]),
        ("Phone = null", ["First2"]),
        ("Phone != null", ["First1", "Zoë", "First4"]),
        ("Phone != '+1 415 555 0101'", ["First2", "Zoë", "First4"]),
        ("Phone <> '+1 415 555 0101'", ["First2", "Zoë", "First4"]),
        ("Phone < 'zzz'", ["First1", "Zoë", "First4"]),
        ("Phone = ''", ["First2"]),
        ("MobilePhone NOT IN ('n/a')", ["First1", "First2", "Zoë"]),
        ("MobilePhone IN ('N/A', '415.555.0111')", ["First1", "First4"]),
        ("DoNotCall = true", ["First2"]),
        ("DoNotCall != TRUE", ["First1", "Zoë", "First4"]),
        ("Phone LIKE '%0101'", ["First1"]),
        ("LastName LIKE 'last_'", ["First1", "First2", "First4"]),
        ("LastName LIKE 'last\\_'", []),
        ("NOT LastName LIKE 'last_'", ["Zoë"]),
        ("DoNotCall = true OR LeadSource = 'Other'", ["First2", "Zoë"]),
        ("(DoNotCall = true OR LeadSource = 'Other') AND MailingCountry = 'United Kingdom'", ["Zoë"]),
        ("NOT (DoNotCall = true OR LeadSource = 'Other')", ["First1", "First4"]),
        ("SystemModstamp >= 2026-11-22T12:00:30Z", ["First1", "First2"]),
        ("SystemModstamp > 2026-11-22T12:00:30Z", ["First1"]),
        ("SystemModstamp > 2026-11-22T14:00:30+02:00", ["First1"]),
        ("SystemModstamp <= 2026-11-20T12:00:30.000Z", ["First4"]),
        ("SystemModstamp < 2026-11-20T12:00:30.001Z", ["First4"]),
        ("Birthdate < 2000-01-01", []),
        ("Phone < null", []),
        ("Id = null", []),
        ("Id != null AND DoNotCall = true", ["First2"]),
        ("RF_Phone_Status__c = 'valid'", ["First4"]),
        ("RF_Phone_Last_Screened__c = null", ["First1", "First2", "Zoë"]),
    ],
)
def test_comparisons(api: Api, where: str, names: list[str]) -> None:
    assert found(api, where) == names


def test_ids_in_both_lengths_and_ranges(api: Api, contacts: list[str]) -> None:
    assert api.ids(f"SELECT Id FROM Contact WHERE Id IN ('{contacts[2]}', '{contacts[0][:15]}')") == [
        contacts[0],
        contacts[2],
    ]
    assert api.ids(f"SELECT Id FROM Contact WHERE Id > '{contacts[1]}' ORDER BY Id LIMIT 1") == [contacts[2]]
    assert api.ids(f"SELECT Id FROM Contact WHERE Id >= '{contacts[2]}' AND DoNotCall = false") == contacts[2:]
    assert api.ids(f"SELECT Id FROM Contact WHERE Id < '{contacts[1]}'") == contacts[:1]


def test_order_limit_offset(api: Api, contacts: list[str]) -> None:
    one, two, three, four = contacts

    assert api.ids("SELECT Id FROM Contact ORDER BY Phone") == [two, three, four, one]
    assert api.ids("SELECT Id FROM Contact ORDER BY Phone NULLS LAST") == [three, four, one, two]
    assert api.ids("SELECT Id FROM Contact ORDER BY DoNotCall DESC, FirstName DESC") == [two, three, four, one]
    assert api.ids("SELECT Id FROM Contact ORDER BY Id DESC LIMIT 2 OFFSET 1") == [three, two]
    assert api.ids("SELECT Id FROM Contact ORDER BY SystemModstamp ASC, Id ASC LIMIT 0") == []


def test_counts(api: Api) -> None:
    assert api.query("SELECT COUNT() FROM Contact WHERE Phone != null") == {
        "totalSize": 3,
        "done": True,
        "records": [],
    }

    body = api.query("SELECT COUNT(Phone) filled FROM Contact")

    assert body["records"] == [{"attributes": {"type": "AggregateResult"}, "filled": 3}]
    assert api.query("SELECT count(Id) FROM Lead")["records"][0]["expr0"] == 2


def test_pages_are_as_short_as_the_org_likes_and_their_locators_can_be_replayed(api: Api, contacts: list[str]) -> None:
    api.org.page_size = 3
    first = api.query("SELECT Id FROM Contact ORDER BY Id")

    assert (first["totalSize"], first["done"], len(first["records"])) == (4, False, 3)
    assert first["nextRecordsUrl"].startswith("/services/data/v65.0/query/01g")
    assert first["nextRecordsUrl"].endswith("-3")

    for _ in range(2):
        last = api("GET", first["nextRecordsUrl"]).json()

        assert (last["totalSize"], last["done"]) == (4, True)
        assert [record["Id"] for record in last["records"]] == contacts[3:]
        assert "nextRecordsUrl" not in last


def test_batch_size_is_a_wish_within_bounds(api: Api) -> None:
    for number in range(300):
        api.org.tables["Lead"].insert(Row(LastName=f"More{number}"))

    headers = {"Sforce-Query-Options": "batchSize=10"}

    assert len(api.query("SELECT Id FROM Lead", headers=headers)["records"]) == 200
    assert api.query("SELECT Id FROM Lead")["done"] is True


def test_a_locator_dies_after_two_days(api: Api, clock: Any) -> None:
    api.org.page_size = 1
    url = api.query("SELECT Id FROM Contact")["nextRecordsUrl"]
    clock.advance(47 * 3600)

    assert api("GET", url).status_code == 200

    clock.advance(2 * 3600)
    status, error = api.refusal("GET", url)

    assert (status, error["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_no_locator_survives_a_restart(api: Api) -> None:
    api.org.page_size = 1
    url = api.query("SELECT Id FROM Contact")["nextRecordsUrl"]

    assert api.refusal("GET", url.replace("-1", "-4"))[1]["errorCode"] == "INVALID_QUERY_LOCATOR"

    api.org.cursors.drop_all()

    assert api.refusal("GET", url)[1]["errorCode"] == "INVALID_QUERY_LOCATOR"


@pytest.mark.parametrize("locator", ["01gnonsense", "01g5i0000000001AAA-9", "01g5i0000000001AAA-x"])
def test_a_made_up_locator_is_refused(api: Api, locator: str) -> None:
    assert api.refusal("GET", f"/query/{locator}")[1]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_query_all_sees_what_was_deleted(api: Api, contacts: list[str]) -> None:
    api.org.delete("Contact", contacts[0])
    soql = "SELECT Id, IsDeleted FROM Contact WHERE IsDeleted = true"

    assert api.query(soql)["totalSize"] == 0

    body = api("GET", "/queryAll/", params={"q": soql}).json()

    assert [record["Id"] for record in body["records"]] == contacts[:1]


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELEKT Name FROM Account", "MALFORMED_QUERY", "unexpected token: SELEKT"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected end of query"),
        ('SELECT Id FROM Contact WHERE Phone = "x"', "MALFORMED_QUERY", "unexpected token: '\"'"),
        ("SELECT Id FROM Contact WHERE Phone = 'x", "MALFORMED_QUERY", "unexpected token: '''"),
        ("SELECT Id FROM Contact WHERE Phone = 'a\\qb'", "MALFORMED_QUERY", "Illegal character sequence"),
        (
            "SELECT Id FROM Contact WHERE DoNotCall = true AND Phone = 'a' OR Phone = 'b'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Contact ORDER Phone", "MALFORMED_QUERY", "unexpected token: 'Phone'"),
        ("SELECT Id FROM Contact WHERE Phone LIKE", "MALFORMED_QUERY", "unexpected end of query"),
        ("SELECT Id FROM Contact WHERE Phone BETWEEN 'a'", "MALFORMED_QUERY", "unexpected token: 'BETWEEN'"),
        ("SELECT Id FROM Contact WHERE Phone = Fax", "MALFORMED_QUERY", "unexpected token: 'Fax'"),
        ("SELECT Phone FROM Contact GROUP BY Title", "MALFORMED_QUERY", "Field must be grouped or aggregated: Phone"),
        ("SELECT Id FROM Contact LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("SELECT Id FROM Person", "INVALID_TYPE", "sObject type 'Person' is not supported."),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Boss.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id FROM Contact WHERE Phone = 5", "INVALID_FIELD", "must be of type string and should be enclosed"),
        ("SELECT Id FROM Contact WHERE DoNotCall = 'true'", "INVALID_FIELD", "type boolean and should not be enclosed"),
        (
            "SELECT Id FROM Contact WHERE SystemModstamp > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Contact WHERE SystemModstamp > 2026-13-01T00:00:00Z", "MALFORMED_QUERY", "Invalid datetime"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD", "can not be sorted in a query call"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Contact WHERE DoNotCall LIKE 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact WHERE DoNotCall > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("", "MALFORMED_QUERY", "A query string has to be specified"),
    ],
)
def test_refusals(api: Api, soql: str, code: str, message: str) -> None:
    status, error = api.refusal("GET", "/query", params={"q": soql})

    assert (status, error["errorCode"]) == (400, code)
    assert message in error["message"]


def test_an_unknown_column_is_pointed_at(api: Api) -> None:
    soql = "SELECT Id FROM Contact\nWHERE DoNotCall = true AND Bacon__c = 'x'"
    _, error = api.refusal("GET", "/query", params={"q": soql})
    lines = error["message"].split("\n")

    assert lines[1][lines[2].index("^") :].startswith("Bacon__c")
    assert lines[3] == "ERROR at Row:2:Column:28"
    assert lines[4].startswith("No such column 'Bacon__c' on entity 'Contact'.")


def test_queries_are_limited_in_length(api: Api) -> None:
    soql = "SELECT Id FROM Contact WHERE Id IN ('" + "x" * 17_000 + "')"

    assert api("GET", "/query", params={"q": soql}).status_code == 414

    sub = {"method": "GET", "referenceId": "a", "url": "/services/data/v65.0/query?q=" + "x" * 100_001}
    answer = api("POST", "/composite", json={"compositeRequest": [sub]}).json()["compositeResponse"][0]

    assert "cannot be longer than 100000" in answer["body"][0]["message"]
    assert api.refusal("POST", "/query", json={"q": "SELECT Id FROM Contact"})[1]["errorCode"] == "METHOD_NOT_ALLOWED"
