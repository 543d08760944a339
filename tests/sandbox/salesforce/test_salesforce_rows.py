"""Single rows: reading, creating, changing, deleting, conditional requests, and the rules of the service."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api


def test_reads_a_row_whole_or_in_part(api: Api, contacts: list[str]) -> None:
    response = api("GET", f"/sobjects/contact/{contacts[0][:15]}")
    body = response.json()

    assert body["attributes"] == {"type": "Contact", "url": f"/services/data/v65.0/sobjects/Contact/{contacts[0]}"}
    assert (body["Id"], body["HomePhone"], body["Name"]) == (contacts[0], None, "First1 Last1")
    assert body["SystemModstamp"] == "2026-11-23T12:00:30.000+0000"
    assert response.headers["Last-Modified"] == "Mon, 23 Nov 2026 12:00:30 GMT"

    part = api("GET", f"/sobjects/Contact/{contacts[0]}", params={"fields": "Phone,donotcall"}).json()

    assert list(part) == ["attributes", "Phone", "DoNotCall"]
    assert api.refusal("GET", f"/sobjects/Contact/{contacts[0]}?fields=Bacon")[1]["errorCode"] == "INVALID_FIELD"


@pytest.mark.parametrize("path", ["/sobjects/Contact/0035i00000000zzAAA", "/sobjects/Contact/x", "/sobjects/Nothing"])
def test_what_does_not_exist(api: Api, path: str) -> None:
    assert api.refusal("GET", path) == (
        404,
        {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"},
    )


def test_creates_a_row_with_its_defaults(api: Api) -> None:
    response = api("POST", "/sobjects/Contact/", json={"LastName": " New ", "FirstName": "", "Phone": "1"})
    row_id = response.json()["id"]

    assert response.status_code == 201
    assert response.json() == {"id": row_id, "success": True, "errors": []}
    assert response.headers["Location"] == f"/services/data/v65.0/sobjects/Contact/{row_id}"

    row = api.org.rows("Contact")[row_id]

    assert (row["LastName"], row["FirstName"], row["Name"], row["DoNotCall"]) == ("New", None, "New", False)
    assert (row["CreatedById"], row["OwnerId"]) == (api.org.user_id, api.org.user_id)
    assert row["CreatedDate"] == "2026-11-24T12:00:30.000+0000"


def test_a_change_moves_the_stamps_by_the_second(api: Api, contacts: list[str], clock: Any) -> None:
    clock.advance(5)
    response = api("PATCH", f"/sobjects/Contact/{contacts[0]}", json={"phone": "2", "DoNotCall": True, "LastName": "X"})

    assert (response.status_code, response.content) == (204, b"")

    row = api.org.rows("Contact")[contacts[0]]

    assert (row["Phone"], row["DoNotCall"], row["Name"]) == ("2", True, "First1 X")
    assert row["LastModifiedDate"] == row["SystemModstamp"] == "2026-11-24T12:00:35.000+0000"
    assert row["LastModifiedById"] == api.org.user_id


def test_texts_that_mean_a_value_of_another_type_are_read(api: Api, leads: list[str]) -> None:
    change = {"DoNotCall": "true", "NumberOfEmployees": "12"}

    assert api("PATCH", f"/sobjects/Lead/{leads[0]}", json=change).status_code == 204

    row = api.org.rows("Lead")[leads[0]]

    assert (row["DoNotCall"], row["NumberOfEmployees"]) == (True, 12)
    assert api.ids("SELECT Id FROM Lead WHERE NumberOfEmployees >= 12") == leads[:1]


def test_a_moment_is_stored_in_utc(api: Api, contacts: list[str]) -> None:
    change = {"RF_Phone_Last_Screened__c": "2026-11-24T14:00:00+02:00"}

    assert api("PATCH", f"/sobjects/Contact/{contacts[0]}", json=change).status_code == 204

    row = api.org.rows("Contact")[contacts[0]]

    assert row["RF_Phone_Last_Screened__c"] == "2026-11-24T12:00:00.000+0000"


@pytest.mark.parametrize(
    ("changes", "code", "message", "fields"),
    [
        ({"Phone": "9" * 41}, "STRING_TOO_LONG", "Business Phone: data value too large", ["Phone"]),
        (
            {"CleanStatus": "dead"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Clean Status: bad value for restricted picklist field: dead",
            ["CleanStatus"],
        ),
        ({"Email": "badone"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: badone", ["Email"]),
        ({"AccountId": "acme"}, "MALFORMED_ID", "Account ID: id value of incorrect type: acme", ["AccountId"]),
        (
            {"AccountId": "0035i0000000001AAA"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Account ID: id value of incorrect type: 0035i0000000001AAA",
            ["AccountId"],
        ),
        ({"LastName": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        (
            {"Name": "X", "Phone": "1"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: Name. Please check",
            ["Name"],
        ),
        ({"Bacon__c": "x"}, "INVALID_FIELD", "No such column 'Bacon__c' on sobject of type Contact", None),
        ({"Id": "x"}, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", None),
        ({"DoNotCall": "yes"}, "JSON_PARSER_ERROR", "instance of boolean from VALUE_STRING value yes", None),
        ({"DoNotCall": 1}, "JSON_PARSER_ERROR", "instance of boolean from VALUE_NUMBER_INT value 1", None),
        ({"Phone": 4155550101}, "JSON_PARSER_ERROR", "instance of string from VALUE_NUMBER_INT", None),
        ({"Phone": ["a"]}, "JSON_PARSER_ERROR", "instance of string from START_ARRAY", None),
        ({"Phone": True}, "JSON_PARSER_ERROR", "instance of string from VALUE_TRUE", None),
        ({"Birthdate": 5}, "JSON_PARSER_ERROR", "instance of date from VALUE_NUMBER_INT value 5", None),
        ({"Birthdate": "soon"}, "JSON_PARSER_ERROR", "instance of date from VALUE_STRING value soon", None),
        (
            {"RF_Phone_Last_Screened__c": "2026-11-24"},
            "JSON_PARSER_ERROR",
            "instance of datetime from VALUE_STRING value 2026-11-24",
            None,
        ),
    ],
)
def test_a_refused_change_changes_nothing(
    api: Api, contacts: list[str], changes: dict[str, object], code: str, message: str, fields: list[str] | None
) -> None:
    before = dict(api.org.rows("Contact")[contacts[0]])
    status, error = api.refusal("PATCH", f"/sobjects/Contact/{contacts[0]}", json=changes)

    assert (status, error["errorCode"], error.get("fields")) == (400, code, fields)
    assert message in error["message"]
    assert api.org.rows("Contact")[contacts[0]] == before


def test_refuses_a_new_row_without_what_it_needs(api: Api) -> None:
    _, error = api.refusal("POST", "/sobjects/Lead", json={"FirstName": "A"})

    assert error["message"] == "Required fields are missing: [LastName, Company]"
    assert api.refusal("POST", "/sobjects/Lead", data=b"{not json")[1]["errorCode"] == "JSON_PARSER_ERROR"
    assert api.refusal("POST", "/sobjects/Lead")[1]["errorCode"] == "JSON_PARSER_ERROR"
    assert api.refusal("POST", "/sobjects/User", json={})[0] == 403
    assert api.refusal("PATCH", f"/sobjects/User/{api.org.user_id}", json={})[0] == 403
    assert api.refusal("DELETE", f"/sobjects/User/{api.org.user_id}")[0] == 403


def test_references_lead_somewhere(api: Api, contacts: list[str]) -> None:
    path, account = f"/sobjects/Contact/{contacts[0]}", next(iter(api.org.rows("Account")))

    assert api("PATCH", path, json={"AccountId": None}).status_code == 204
    assert api("PATCH", path, json={"AccountId": account[:15]}).status_code == 204
    assert api.org.rows("Contact")[contacts[0]]["AccountId"] == account

    status, error = api.refusal("PATCH", path, json={"AccountId": "0015i00000000zzAAA"})

    assert (status, error["errorCode"]) == (403, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")

    api.org.delete("Account", account)

    assert api.refusal("PATCH", path, json={"AccountId": account})[0] == 403


def test_deleted_and_foreign_rows(api: Api, contacts: list[str], leads: list[str]) -> None:
    path = f"/sobjects/Contact/{contacts[0]}"

    assert api("DELETE", path).status_code == 204

    gone = (404, {"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []})

    assert api.refusal("DELETE", path) == gone
    assert api.refusal("PATCH", path, json={"Phone": "1"}) == gone
    assert api.refusal("GET", path)[1]["errorCode"] == "NOT_FOUND"

    status, error = api.refusal("PATCH", f"/sobjects/Contact/{leads[0]}", json={"Phone": "1"})

    assert (status, error["errorCode"], error["fields"]) == (400, "MALFORMED_ID", ["Id"])

    missing = "/sobjects/Contact/0035i00000000zzAAA"

    assert api.refusal("PATCH", missing, json={"Phone": "1"})[0] == 404


def test_a_converted_lead_is_closed(api: Api, leads: list[str]) -> None:
    api.org.convert_lead(leads[0])
    _, error = api.refusal("PATCH", f"/sobjects/Lead/{leads[0]}", json={"Phone": "1"})

    assert error == {
        "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD",
        "message": "cannot reference converted lead",
        "fields": [],
    }


def test_assignment_rules_take_leads_away_unless_told_not_to(api: Api, leads: list[str], contacts: list[str]) -> None:
    owner = api.org.rows("Lead")[leads[0]]["OwnerId"]
    path = f"/sobjects/Lead/{leads[0]}"
    api("PATCH", path, json={"Phone": "1"}, headers={"Sforce-Auto-Assign": "FALSE"})

    assert api.org.rows("Lead")[leads[0]]["OwnerId"] == owner

    api("PATCH", path, json={"Phone": "2"}, headers={"Sforce-Auto-Assign": "01Q5i0000000001EAA"})

    assert api.org.rows("Lead")[leads[0]]["OwnerId"] == api.org.assigned_owner_id != owner

    api("PATCH", f"/sobjects/Lead/{leads[1]}", json={"Phone": "2"})

    assert api.org.rows("Lead")[leads[1]]["OwnerId"] == api.org.assigned_owner_id

    new = api("POST", "/sobjects/Account", json={"Name": "New"}).json()["id"]

    assert api.org.rows("Account")[new]["OwnerId"] == api.org.assigned_owner_id

    api("PATCH", f"/sobjects/Contact/{contacts[0]}", json={"Phone": "2"})

    assert api.org.rows("Contact")[contacts[0]]["OwnerId"] == owner


def test_validation_rules_of_the_org(api: Api, contacts: list[str]) -> None:
    api.org.refuse_row = lambda name, row, changes: (
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No changes at night") if row["LastName"] == "Last1" else None
    )
    _, error = api.refusal("PATCH", f"/sobjects/Contact/{contacts[0]}", json={"Phone": "1"})

    assert error["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert api("PATCH", f"/sobjects/Contact/{contacts[1]}", json={"Phone": "1"}).status_code == 204


def test_conditional_writes_compare_by_the_second(api: Api, contacts: list[str]) -> None:
    path, change = f"/sobjects/Contact/{contacts[0]}", {"Phone": "1"}
    stamp, before = "Mon, 23 Nov 2026 12:00:30 GMT", "Mon, 23 Nov 2026 12:00:29 GMT"
    status, error = api.refusal("PATCH", path, json=change, headers={"If-Unmodified-Since": before})

    assert (status, error["errorCode"]) == (412, "PRECONDITION_FAILED")
    assert api.org.rows("Contact")[contacts[0]]["Phone"] == "+1 415 555 0101"
    assert api.refusal("PATCH", path, json=change, headers={"If-Modified-Since": stamp})[0] == 412
    assert api.refusal("PATCH", path, json=change, headers={"If-Unmodified-Since": "yesterday"})[0] == 400
    assert api("PATCH", path, json=change, headers={"If-Unmodified-Since": stamp}).status_code == 204


def test_conditional_reads(api: Api, contacts: list[str]) -> None:
    path, stamp = f"/sobjects/Contact/{contacts[0]}", "Mon, 23 Nov 2026 12:00:30 GMT"

    assert api("GET", path, headers={"If-Modified-Since": stamp}).status_code == 304
    assert api("GET", path, headers={"If-Unmodified-Since": "Mon, 23 Nov 2026 12:00:29 GMT"}).status_code == 412
