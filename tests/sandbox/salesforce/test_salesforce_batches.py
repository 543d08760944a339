"""sObject Collections and Composite: limits, mixed results, order, references, rollbacks."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api

NOT_ASSIGNED = {"Sforce-Auto-Assign": "FALSE"}


def record(row_id: str, name: str = "Contact", **values: object) -> dict[str, object]:
    return {"attributes": {"type": name}, "id": row_id, **values}


def collection(*records: dict[str, object], all_or_none: bool = False) -> dict[str, object]:
    return {"allOrNone": all_or_none, "records": list(records)}


def sub(reference: str, method: str, url: str, **more: object) -> dict[str, object]:
    return {"referenceId": reference, "method": method, "url": f"/services/data/v65.0{url}", **more}


def composite(api: Api, *requests: dict[str, object], all_or_none: bool = False) -> list[dict[str, Any]]:
    response = api("POST", "/composite", json={"allOrNone": all_or_none, "compositeRequest": list(requests)})
    assert response.status_code == 200
    answers: list[dict[str, Any]] = response.json()["compositeResponse"]
    return answers


def test_each_row_has_its_own_result_in_order(api: Api, contacts: list[str], leads: list[str]) -> None:
    api.org.convert_lead(leads[0])
    api.org.delete("Contact", contacts[1])
    body = collection(
        record(contacts[0][:15], Phone="1"),
        record(leads[0], "Lead", Phone="1"),
        record(contacts[1], Phone="1"),
        record("0035i00000000zzAAA", Phone="1"),
        record(leads[1], Phone="1"),
        {"attributes": {"type": "Contact"}, "Phone": "1"},
        record(contacts[2], Bacon="1"),
        record(contacts[2], Phone="1"),
    )
    response = api("PATCH", "/composite/sobjects", json=body)

    assert response.status_code == 200

    results = response.json()

    assert results[0] == {"id": contacts[0], "success": True, "errors": []}
    assert results[1] == {
        "success": False,
        "errors": [
            {"statusCode": "CANNOT_UPDATE_CONVERTED_LEAD", "message": "cannot reference converted lead", "fields": []}
        ],
    }

    codes = [error["statusCode"] for result in results[2:7] for error in result["errors"]]

    assert codes == [
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
        "INVALID_FIELD",
    ]
    assert all("id" not in result for result in results[1:7])
    assert results[7]["success"] is True


def test_all_or_none_takes_the_innocent_back(api: Api, contacts: list[str]) -> None:
    before = {row_id: dict(row) for row_id, row in api.org.rows("Contact").items()}
    body = collection(record(contacts[0], Phone="1"), record(contacts[1], Phone="9" * 50), all_or_none=True)
    results = api("PATCH", "/composite/sobjects", json=body).json()

    assert [result["errors"][0]["statusCode"] for result in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "STRING_TOO_LONG",
    ]
    assert api.org.rows("Contact") == before


def test_a_value_of_the_wrong_type_fails_the_whole_request(api: Api, contacts: list[str]) -> None:
    before = dict(api.org.rows("Contact")[contacts[0]])
    body = collection(record(contacts[0], Phone="1"), record(contacts[1], DoNotCall="perhaps"))

    assert api.refusal("PATCH", "/composite/sobjects", json=body)[1]["errorCode"] == "JSON_PARSER_ERROR"
    assert api.org.rows("Contact")[contacts[0]] == before


def test_collections_create_and_delete(api: Api) -> None:
    new = {"attributes": {"type": "Contact"}, "LastName": "New"}
    results = api("POST", "/composite/sobjects", json=collection(new, {**new, "LastName": None})).json()

    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"

    ids = f"{results[0]['id']},001000000000000AAA"
    results = api("DELETE", f"/composite/sobjects?ids={ids}&allOrNone=false").json()

    assert [result["success"] for result in results] == [True, False]

    results = api("DELETE", f"/composite/sobjects?ids={results[0]['id']},zzz").json()

    assert [result["errors"][0]["statusCode"] for result in results] == ["ENTITY_IS_DELETED", "MALFORMED_ID"]
    assert api.refusal("DELETE", "/composite/sobjects?ids=" + "a," * 201)[1]["errorCode"] == "EXCEEDED_ID_LIMIT"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": [record("x")] * 201}, "EXCEEDED_ID_LIMIT"),
        ({"records": [record("x", name) for name in ("Contact", "Lead") * 6]}, "LIMIT_EXCEEDED"),
        ({"records": [{"id": "x"}]}, "INVALID_INPUT"),
        ({"records": [record("x", "Nothing")]}, "NOT_FOUND"),
        ({"records": "x"}, "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_collections_refuse_what_is_too_large_or_odd(api: Api, body: object, code: str) -> None:
    assert api.refusal("PATCH", "/composite/sobjects", json=body)[1]["errorCode"] == code


def test_retrieves_many_with_null_for_what_is_gone(api: Api, contacts: list[str]) -> None:
    api.org.delete("Contact", contacts[1])
    ids = [contacts[2], contacts[1], contacts[0][:15], "0035i00000000zzAAA"]
    body = api("POST", "/composite/sobjects/Contact", json={"ids": ids, "fields": ["Id", "Phone"]}).json()

    assert [row and row["Id"] for row in body] == [contacts[2], None, contacts[0], None]

    listed = f"?ids={contacts[0]}&fields=Phone"

    assert api("GET", "/composite/sobjects/Contact" + listed).json()[0]["Phone"] == "+1 415 555 0101"

    found = api("POST", "/composite/sobjects/Contact", json={"ids": ids[:1], "fields": ["phone", "PHONE"]}).json()

    assert list(found[0]) == ["attributes", "Phone"]

    for body, code in (
        ({"ids": ids * 501, "fields": ["Id"]}, "EXCEEDED_ID_LIMIT"),
        ({"ids": ids, "fields": ["Bacon"]}, "INVALID_FIELD"),
        ({"ids": ids, "fields": []}, "MISSING_ARGUMENT"),
        ({"ids": ids}, "JSON_PARSER_ERROR"),
    ):
        assert api.refusal("POST", "/composite/sobjects/Contact", json=body)[1]["errorCode"] == code


def test_composite_reads_several_objects_in_one_api_call(api: Api, contacts: list[str]) -> None:
    usage = api.org.api_usage
    answers = composite(
        api,
        sub("c", "GET", "/query/?q=SELECT+Id+FROM+Contact+LIMIT+1"),
        sub("l", "GET", "/query?q=SELECT%20COUNT()%20FROM%20Lead"),
        sub("u", "GET", "/sobjects/Contact/updated/?start=2026-11-20T00:00:00Z&end=2026-11-24T12:00:00Z"),
        sub("x", "GET", "/query?q=SELECT+Bacon+FROM+Lead"),
    )

    assert [answer["referenceId"] for answer in answers] == ["c", "l", "u", "x"]
    assert [answer["httpStatusCode"] for answer in answers] == [200, 200, 200, 400]
    assert answers[0]["body"]["records"][0]["Id"] == contacts[0]
    assert answers[3]["body"][0]["errorCode"] == "INVALID_FIELD"
    assert api.org.api_usage == usage + 1


def test_composite_headers_belong_to_their_subrequest(api: Api, leads: list[str]) -> None:
    answers = composite(
        api,
        sub("a", "PATCH", f"/sobjects/Lead/{leads[0]}", body={"Phone": "1"}, httpHeaders=NOT_ASSIGNED),
        sub("b", "PATCH", f"/sobjects/Lead/{leads[1]}", body={"Phone": "1"}),
        sub(
            "c",
            "PATCH",
            f"/sobjects/Lead/{leads[0]}",
            body={"Phone": "2"},
            httpHeaders={"If-Unmodified-Since": "Mon, 23 Nov 2026 12:00:30 GMT"},
        ),
        sub("d", "GET", "/sobjects", httpHeaders={"Authorization": "Bearer x"}),
    )

    assert [answer["httpStatusCode"] for answer in answers] == [204, 204, 412, 400]
    assert answers[0] == {"body": None, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "a"}

    rows = api.org.rows("Lead")

    assert [rows[row_id]["OwnerId"] == api.org.assigned_owner_id for row_id in leads] == [False, True]


def test_the_outer_headers_do_not_reach_subrequests(api: Api, leads: list[str]) -> None:
    body = {"compositeRequest": [sub("a", "PATCH", f"/sobjects/Lead/{leads[0]}", body={"Phone": "1"})]}
    api("POST", "/composite", json=body, headers=NOT_ASSIGNED)

    assert api.org.rows("Lead")[leads[0]]["OwnerId"] == api.org.assigned_owner_id


def test_references_carry_results_on(api: Api) -> None:
    answers = composite(
        api,
        sub("acme", "POST", "/sobjects/Account", body={"Name": "New Acme"}),
        sub("ann", "POST", "/sobjects/Contact", body={"LastName": "Ann", "AccountId": "@{acme.id}"}),
        sub("back", "GET", "/sobjects/Contact/@{ann.id}?fields=AccountId"),
        sub("list", "GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+LastName='Ann'"),
        sub("again", "GET", "/sobjects/Contact/@{list.records[0].Id}?fields=LastName"),
        sub("lost", "GET", "/sobjects/Contact/@{nobody.id}"),
    )

    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])
    assert answers[2]["body"]["AccountId"] == answers[0]["body"]["id"]
    assert answers[4]["body"]["LastName"] == "Ann"
    assert answers[5]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_composite_all_or_none_rolls_back_across_subrequests(api: Api, contacts: list[str]) -> None:
    before = {row_id: dict(row) for row_id, row in api.org.rows("Contact").items()}
    answers = composite(
        api,
        sub("a", "POST", "/sobjects/Contact", body={"LastName": "New"}),
        sub("b", "PATCH", "/composite/sobjects", body=collection(record(contacts[0], Phone="1"))),
        sub("c", "PATCH", f"/sobjects/Contact/{contacts[1]}", body={"Bacon": "1"}),
        sub("d", "PATCH", f"/sobjects/Contact/{contacts[1]}", body={"Cheese": "1"}),
        all_or_none=True,
    )
    codes = [answer["body"][0]["errorCode"] for answer in answers]

    assert codes == ["PROCESSING_HALTED", "PROCESSING_HALTED", "INVALID_FIELD", "PROCESSING_HALTED"]
    assert {answer["httpStatusCode"] for answer in answers} == {400}
    assert api.org.rows("Contact") == before


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        (
            [sub(f"r{n}", "GET", "/sobjects") for n in range(26)],
            "The request can\u2019t contain more than 25 operations.",
        ),
        (
            [sub(f"r{n}", "GET", "/query?q=SELECT+Id+FROM+Lead") for n in range(3)]
            + [sub(f"c{n}", "PATCH", "/composite/sobjects", body=collection()) for n in range(3)],
            "more than 5 query",
        ),
    ],
)
def test_composite_refuses_too_much_with_a_200(api: Api, requests: list[dict[str, object]], message: str) -> None:
    (answer,) = composite(api, *requests)

    assert (answer["httpStatusCode"], answer["referenceId"]) == (400, None)
    assert answer["body"][0]["errorCode"] == "LIMIT_EXCEEDED"
    assert message in answer["body"][0]["message"]


def test_composite_all_or_none_restores_what_was_deleted(api: Api) -> None:
    parent = api("POST", "/sobjects/PermissionSet", json={"Name": "A", "Label": "A"}).json()["id"]
    answers = composite(
        api,
        sub("a", "DELETE", f"/sobjects/PermissionSet/{parent}"),
        sub("b", "GET", "/sobjects/Nothing"),
        all_or_none=True,
    )

    assert [answer["httpStatusCode"] for answer in answers] == [400, 404]
    assert api.ids("SELECT Id FROM PermissionSet") == [parent]


def test_composite_refuses_odd_subrequests(api: Api) -> None:
    answers = composite(
        api,
        sub("a-b", "GET", "/sobjects"),
        sub("a", "GET", "/limits"),
        sub("b", "GET", "/tooling/query?q=x"),
        {"referenceId": "c", "method": "GET", "url": "/elsewhere"},
        sub("d", "GET", "/composite"),
        sub("e", "GET", "/sobjects"),
        sub("e", "GET", "/sobjects"),
    )

    assert [answer["httpStatusCode"] for answer in answers] == [400, 400, 400, 400, 400, 200, 400]
    assert api.refusal("POST", "/composite", json={})[1]["errorCode"] == "JSON_PARSER_ERROR"


@pytest.mark.parametrize("raw", ["<", ">", " ", '"', "{", "}", "|", "^", "`", "\\", "\n", "\u00e9"])
def test_a_subrequest_has_to_be_quoted(api: Api, raw: str) -> None:
    (answer,) = composite(api, sub("a", "GET", f"/query?q=SELECT+Id+FROM+Contact+WHERE+LastName{raw}='x'"))

    assert answer["httpStatusCode"] == 400
    assert answer["body"][0]["errorCode"] == "ILLEGAL_QUERY_PARAMETER_VALUE"


def test_a_quoted_subrequest_is_read(api: Api) -> None:
    (answer,) = composite(api, sub("a", "GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+LastName%3E'Last1'"))

    assert answer["httpStatusCode"] == 200
