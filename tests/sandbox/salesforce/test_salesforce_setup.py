"""What `setup` needs: custom fields, permission sets, field-level security, and the org and user that run it."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api

VALUES = [{"fullName": "valid", "label": "valid", "default": False}]
STATUS = {
    "FullName": "Contact.RF_Phone_Status__c",
    "Metadata": {
        "type": "Picklist",
        "label": "RF Phone Status",
        "description": "Verdict on the phone",
        "valueSet": {"restricted": True, "valueSetDefinition": {"sorted": False, "value": VALUES}},
    },
}
REASON = {"FullName": "Contact.RF_Phone_Reason__c", "Metadata": {"type": "Text", "label": "Reason", "length": 255}}
SEEN = {"FullName": "Contact.RF_Phone_Last_Screened__c", "Metadata": {"type": "DateTime", "label": "Last screened"}}


def describe(api: Api, name: str = "Contact") -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in api("GET", f"/sobjects/{name}/describe").json()["fields"]}


def create(api: Api, name: str, **values: object) -> str:
    response = api("POST", f"/sobjects/{name}/", json=values)
    assert response.status_code == 201, response.text
    row_id: str = response.json()["id"]
    return row_id


def grant(api: Api, field: str, *, edit: bool = True) -> str:
    parent = create(api, "PermissionSet", Name="RF_Access", Label="Ringfence access")
    create(
        api,
        "FieldPermissions",
        ParentId=parent,
        SobjectType="Contact",
        Field=f"Contact.{field}",
        PermissionsRead=True,
        PermissionsEdit=edit,
    )
    return parent


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_a_new_org_hides_do_not_call_until_it_is_granted(bare_api: Api, name: str) -> None:
    query = {"params": {"q": f"SELECT DoNotCall FROM {name}"}}

    assert "DoNotCall" not in describe(bare_api, name)
    assert bare_api.refusal("GET", "/query", **query)[1]["errorCode"] == "INVALID_FIELD"

    parent = create(bare_api, "PermissionSet", Name="A", Label="A")
    rights = {"PermissionsRead": True, "PermissionsEdit": True}
    create(bare_api, "FieldPermissions", ParentId=parent, SobjectType=name, Field=f"{name}.DoNotCall", **rights)
    create(bare_api, "PermissionSetAssignment", PermissionSetId=parent, AssigneeId=bare_api.org.user_id)

    assert describe(bare_api, name)["DoNotCall"]["updateable"] is True
    assert bare_api("GET", "/query", **query).status_code == 200


def test_a_new_field_is_hidden_until_granted_and_assigned(bare_api: Api) -> None:
    api = bare_api
    for body in (STATUS, REASON, SEEN):
        response = api("POST", "/tooling/sobjects/CustomField/", json=body)
        assert response.status_code == 201
        assert response.json()["success"] is True

    assert "RF_Phone_Status__c" not in describe(api)

    soql = {"q": "SELECT RF_Phone_Status__c FROM Contact"}

    assert api.refusal("GET", "/query", params=soql)[1]["errorCode"] == "INVALID_FIELD"

    contact = next(iter(api.org.rows("Contact")))
    change = {"RF_Phone_Status__c": "valid"}

    assert api.refusal("PATCH", f"/sobjects/Contact/{contact}", json=change)[1]["errorCode"] == "INVALID_FIELD"

    parent = grant(api, "RF_Phone_Status__c")
    create(api, "PermissionSetAssignment", PermissionSetId=parent, AssigneeId=api.org.human_id)

    assert "RF_Phone_Status__c" not in describe(api)

    create(api, "PermissionSetAssignment", PermissionSetId=parent, AssigneeId=api.org.user_id)
    field = describe(api)["RF_Phone_Status__c"]

    assert (field["type"], field["updateable"], field["restrictedPicklist"]) == ("picklist", True, True)
    assert [value["value"] for value in field["picklistValues"]] == ["valid"]
    assert api("GET", "/query", params=soql).status_code == 200
    assert api("PATCH", f"/sobjects/Contact/{contact}", json=change).status_code == 204

    wrong = api.refusal("PATCH", f"/sobjects/Contact/{contact}", json={"RF_Phone_Status__c": "active"})

    assert wrong[1]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"

    assert api("DELETE", f"/sobjects/PermissionSet/{parent}").status_code == 204
    assert "RF_Phone_Status__c" not in describe(api)
    assert api.query("SELECT COUNT() FROM FieldPermissions")["totalSize"] == 0


def test_reading_rights_are_not_editing_rights(bare_api: Api) -> None:
    bare_api("POST", "/tooling/sobjects/CustomField", json=REASON)
    parent = grant(bare_api, "RF_Phone_Reason__c", edit=False)
    create(bare_api, "PermissionSetAssignment", PermissionSetId=parent, AssigneeId=bare_api.org.user_id)

    assert describe(bare_api)["RF_Phone_Reason__c"]["updateable"] is False

    row = bare_api.query("SELECT Id FROM FieldPermissions")["records"][0]["Id"]
    change = {"PermissionsEdit": True}

    assert bare_api("PATCH", f"/sobjects/FieldPermissions/{row}", json=change).status_code == 204
    assert describe(bare_api)["RF_Phone_Reason__c"]["updateable"] is True


def test_custom_fields_can_be_looked_up(bare_api: Api) -> None:
    created = bare_api("POST", "/tooling/sobjects/CustomField", json=REASON).json()["id"]
    soql = (
        "SELECT Id, DeveloperName, TableEnumOrId FROM CustomField "
        "WHERE TableEnumOrId IN ('Contact', 'Lead') AND DeveloperName LIKE 'RF\\_%'"
    )
    body = bare_api("GET", "/tooling/query/", params={"q": soql}).json()

    assert (body["size"], body["entityTypeName"]) == (1, "CustomField")
    assert body["records"][0]["DeveloperName"] == "RF_Phone_Reason"
    assert body["records"][0]["Id"] == created
    assert created.startswith("00N")


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("Contact.RF_Phone_Reason__c", REASON["Metadata"], "DUPLICATE_DEVELOPER_NAME"),
        ("Nothing.X__c", REASON["Metadata"], "INVALID_CROSS_REFERENCE_KEY"),
        ("Contact.X", REASON["Metadata"], "INVALID_FIELDNAME"),
        ("Contact.a__b__c", REASON["Metadata"], "INVALID_FIELDNAME"),
        ("Contact.X__c", None, "REQUIRED_FIELD_MISSING"),
        ("Contact.X__c", {"type": "Text", "label": "X"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.X__c", {"type": "Text", "label": "X", "length": 256}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.X__c", {"type": "DateTime"}, "REQUIRED_FIELD_MISSING"),
        ("Contact.X__c", {"type": "Cheese", "label": "X"}, "INVALID_TYPE"),
        ("Contact.X__c", {"type": "Picklist", "label": "X"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.X__c", {"type": "Checkbox", "label": "X"}, "FIELD_INTEGRITY_EXCEPTION"),
    ],
)
def test_custom_fields_that_are_refused(api: Api, name: str, metadata: object, code: str) -> None:
    body = {"FullName": name, "Metadata": metadata}
    status, error = api.refusal("POST", "/tooling/sobjects/CustomField", json=body)

    assert (status, error["errorCode"]) == (400, code)


def test_permission_rows_that_are_refused(api: Api) -> None:
    parent = grant(api, "RF_Phone_Reason__c")
    assignment = {"PermissionSetId": parent, "AssigneeId": api.org.user_id}
    create(api, "PermissionSetAssignment", **assignment)
    create(api, "ObjectPermissions", ParentId=parent, SobjectType="Lead", PermissionsRead=True)
    one = {"ParentId": parent, "SobjectType": "Contact", "PermissionsRead": True}
    refused: list[tuple[str, dict[str, object], str]] = [
        ("PermissionSet", {"Name": "rf_access", "Label": "Again"}, "DUPLICATE_DEVELOPER_NAME"),
        ("PermissionSet", {"Name": "Other"}, "REQUIRED_FIELD_MISSING"),
        ("PermissionSetAssignment", assignment, "DUPLICATE_VALUE"),
        ("FieldPermissions", {**one, "Field": "Contact.RF_Phone_Reason__c"}, "DUPLICATE_VALUE"),
        ("FieldPermissions", {**one, "Field": "Contact.Bacon__c"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("FieldPermissions", {**one, "Field": "Contact.LastName"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("FieldPermissions", {**one, "Field": "Lead.Phone"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("ObjectPermissions", {**one, "SobjectType": "Nothing"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("ObjectPermissions", {**one, "SobjectType": "Lead"}, "DUPLICATE_VALUE"),
    ]
    for name, values, code in refused:
        assert api.refusal("POST", f"/sobjects/{name}", json=values)[1]["errorCode"] == code, (name, values)


def test_grants_by_collections_and_rolled_back(bare_api: Api) -> None:
    bare_api("POST", "/tooling/sobjects/CustomField", json=REASON)
    parent = create(bare_api, "PermissionSet", Name="A", Label="A")
    create(bare_api, "PermissionSetAssignment", PermissionSetId=parent, AssigneeId=bare_api.org.user_id)
    fields = ("RF_Phone_Reason__c", "Bacon__c")
    records = [
        {
            "attributes": {"type": "FieldPermissions"},
            "ParentId": parent,
            "SobjectType": "Contact",
            "Field": f"Contact.{field}",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
        for field in fields
    ]
    for all_or_none, visible in ((True, False), (False, True)):
        body = {"allOrNone": all_or_none, "records": records}
        results = bare_api("POST", "/composite/sobjects", json=body).json()

        assert results[1]["success"] is False
        assert ("RF_Phone_Reason__c" in describe(bare_api)) is visible


def test_hidden_and_readonly_fields(api: Api, contacts: list[str]) -> None:
    api.org.hide_field("Contact", "DoNotCall")
    grant(api, "RF_Phone_Status__c")
    api.org.make_readonly("Contact", "RF_Phone_Status__c")
    fields = describe(api)

    assert "DoNotCall" not in fields
    assert (fields["RF_Phone_Status__c"]["updateable"], fields["Phone"]["updateable"]) == (False, True)
    assert "DoNotCall" in describe(api, "Lead")

    path = f"/sobjects/Contact/{contacts[0]}"

    assert api.refusal("PATCH", path, json={"DoNotCall": True})[1]["errorCode"] == "INVALID_FIELD"

    locked = api.refusal("PATCH", path, json={"RF_Phone_Status__c": "valid"})[1]

    assert (locked["errorCode"], locked["fields"]) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["RF_Phone_Status__c"])
    assert "DoNotCall" not in api("GET", path).json()

    with pytest.raises(ValueError, match="always visible"):
        api.org.hide_field("Contact", "LastName")


def test_the_org_says_what_it_is(api: Api) -> None:
    (record,) = api.query("SELECT Id, Name, IsSandbox, OrganizationType, InstanceName FROM Organization")["records"]

    assert (record["Id"], record["IsSandbox"], record["InstanceName"]) == (api.org.org_id, True, "CS42")

    users = api.query(f"SELECT Id FROM User WHERE Username = '{api.org.username}'")["records"]

    assert [user["Id"] for user in users] == [api.org.user_id]


def test_the_global_describe_names_every_object(api: Api) -> None:
    names = {entry["name"] for entry in api("GET", "/sobjects/").json()["sobjects"]}

    assert {"Contact", "Lead", "Account", "PermissionSet", "FieldPermissions"} <= names
    assert api("GET", "/sobjects/Lead").json()["objectDescribe"]["keyPrefix"] == "00Q"
    assert api.refusal("GET", "/sobjects/Nothing/describe")[0] == 404
