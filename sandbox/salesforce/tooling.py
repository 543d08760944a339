"""`/tooling/sobjects/CustomField`: adding and deleting custom fields (Tooling API, "CustomField").

A new field is visible to nobody until a permission set grants it (docs/vendors/salesforce.md, section 2.9).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import ApiError
from .ids import full_id
from .rows import payload
from .schema import FieldSpec, FieldType
from .state import OrgState
from .wire import Answer, Call

MAX_TEXT = 255
_TYPES: dict[str, FieldType] = {
    "Text": "string",
    "Picklist": "picklist",
    "DateTime": "datetime",
    "Checkbox": "boolean",
    "Phone": "phone",
}
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c\Z")


def create_field(org: OrgState, call: Call) -> Answer:
    """Answer POST of a CustomField: `{"FullName": "Contact.X__c", "Metadata": {...}}`."""
    body = payload(call.document)
    owner, _, name = str(body.get("FullName", "")).partition(".")
    metadata = body.get("Metadata")
    object_name = org.object_named(owner)
    if object_name is None or object_name not in org.permissionable_objects():
        raise _refusal("INVALID_CROSS_REFERENCE_KEY", f"Entity of name {owner} is not available", "FullName")
    if not _NAME.match(name) or len(name) > 43:
        text = "The field name can only contain alphanumeric characters, must begin with a letter, not end with an"
        text += " underscore or contain two consecutive underscores."
        raise _refusal("INVALID_FIELDNAME", f"Field Name: {text}", "DeveloperName")
    if not isinstance(metadata, dict):
        raise ApiError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]", ["Metadata"])
    if org.table(object_name).spec.find(name):
        text = f"There is already a field named {name.removesuffix('__c')} on {object_name}."
        raise _refusal("DUPLICATE_DEVELOPER_NAME", text, "DeveloperName")

    field_id = org.add_field(object_name, _field(name, metadata), visible=False)
    location = {"Location": call.url(f"/tooling/sobjects/CustomField/{field_id}")}
    body = {"id": field_id, "success": True, "errors": [], "warnings": [], "infos": []}
    return Answer(201, body, location)


def delete_field(org: OrgState, call: Call, field_id: str) -> Answer:  # noqa: ARG001  # the signature of handlers
    """Answer DELETE of a CustomField: 204, and its values are gone; one that something uses is refused."""
    fields = org.tooling["CustomField"]
    row = fields.rows.get(full_id(field_id) or "")
    if row is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")

    owner = next(name for name in org.tables if org.table_key(name) == row["TableEnumOrId"])
    name = f"{row['DeveloperName']}__c"
    if user := org.traits.fields_in_use.get(f"{owner}.{name}"):
        text = f"This custom field is referenced elsewhere in salesforce.com. : {user}"
        raise ApiError(400, "DEPENDENCY_EXISTS", text)

    org.remove_field(owner, name)
    fields.remove(str(row["Id"]))
    return Answer(204)


def _field(name: str, metadata: Mapping[str, Any]) -> FieldSpec:
    kind = _TYPES.get(str(metadata.get("type")))
    if kind is None:
        raise _refusal("INVALID_TYPE", f"Unsupported field type: {metadata.get('type')}", "Metadata")
    if not metadata.get("label"):
        raise _refusal("REQUIRED_FIELD_MISSING", "Must specify a non-empty label for the CustomField", "Metadata")

    checkbox = kind == "boolean"
    if checkbox and metadata.get("defaultValue") is None:
        raise _refusal(
            "FIELD_INTEGRITY_EXCEPTION", "Must specify 'defaultValue' for field of type Checkbox", "Metadata"
        )

    values, labels, restricted = _choices(metadata) if kind == "picklist" else ((), (), False)
    return FieldSpec(
        name=name,
        type=kind,
        label=str(metadata["label"]),
        length=_length(kind, metadata),
        nillable=not checkbox,
        defaulted=checkbox,
        permissionable=metadata.get("required") is not True,
        picklist=values,
        picklist_labels=labels,
        restricted=restricted,
        custom=True,
        external=kind == "string" and metadata.get("externalId") is True,
        help=metadata.get("inlineHelpText"),
    )


def _length(kind: FieldType, metadata: Mapping[str, Any]) -> int:
    if kind != "string":
        return {"picklist": 255, "phone": 40}.get(kind, 0)
    length = metadata.get("length")
    if not isinstance(length, int) or isinstance(length, bool):
        raise _refusal("FIELD_INTEGRITY_EXCEPTION", "Must specify 'length' for a CustomField of type Text", "Metadata")
    if not 1 <= length <= MAX_TEXT:
        raise _refusal("FIELD_INTEGRITY_EXCEPTION", f"Text length must be between 1 and {MAX_TEXT}", "Metadata")
    return length


def _choices(metadata: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return values, labels, and whether the picklist is restricted."""
    value_set = metadata.get("valueSet") or {}
    definition = value_set.get("valueSetDefinition") or {}
    values = tuple(str(value.get("fullName") or value.get("valueName")) for value in definition.get("value", []))
    if not values or len(set(values)) != len(values):
        text = "Must specify either valueSetDefinition or valueSetName for a picklist field, without duplicate values"
        raise _refusal("FIELD_INTEGRITY_EXCEPTION", text, "Metadata")
    labels = tuple(str(value.get("label") or name) for value, name in zip(definition["value"], values, strict=True))
    return values, labels, value_set.get("restricted") is True


def _refusal(code: str, message: str, field: str) -> ApiError:
    return ApiError(400, code, message, [field])
