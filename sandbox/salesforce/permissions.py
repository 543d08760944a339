"""Field-level security: what the API user may see and edit.

A custom field is hidden from everybody until a permission set grants it and is assigned (salesforce facts, 2.9);
fields that are not permissionable are always visible. Profile permissions and permission sets add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import RowError
from .schema import FieldSpec, ObjectSpec
from .table import Row, Value

if TYPE_CHECKING:
    from .org import SalesforceOrg


@dataclass(frozen=True, slots=True)
class Access:
    """One object through the eyes of the API user: visible fields by lower-case name, and names that may be edited."""

    spec: ObjectSpec
    visible: Mapping[str, FieldSpec]
    editable: frozenset[str]


def access_of(org: SalesforceOrg, spec: ObjectSpec) -> Access:
    """Return what the API user may see and edit of an object."""
    granted = _granted(org, spec.name)
    visible: dict[str, FieldSpec] = {}
    editable: set[str] = set()
    for name, field in spec.fields.items():
        read, edit = (True, True) if not field.permissionable else org.profile.get((spec.name, name), (True, True))
        granted_read, granted_edit = granted.get(f"{spec.name}.{name}", (False, False))
        if read or granted_read:
            visible[name.lower()] = field
            if edit or granted_edit:
                editable.add(name)
    return Access(spec, visible, frozenset(editable))


def _granted(org: SalesforceOrg, object_name: str) -> dict[str, tuple[bool, bool]]:
    assigned = {
        row["PermissionSetId"]
        for row in org.table("PermissionSetAssignment").scan()
        if row["AssigneeId"] == org.user_id
    }
    found: dict[str, tuple[bool, bool]] = {}
    for row in org.table("FieldPermissions").scan():
        if row["SobjectType"] == object_name and row["ParentId"] in assigned:
            read, edit = found.get(str(row["Field"]), (False, False))
            reads = read or row["PermissionsRead"] is True
            found[str(row["Field"])] = (reads, reads and (edit or row["PermissionsEdit"] is True))
    return found


def check_new(org: SalesforceOrg, object_name: str, values: Mapping[str, Value]) -> None:
    """Refuse a new row of a permission object that the service would not take; raises RowError."""
    match object_name:
        case "PermissionSet":
            if _exists(org, object_name, values, "Name"):
                text = f'The name "{values["Name"]}" is already used on component type: Permission Set.'
                raise RowError("DUPLICATE_DEVELOPER_NAME", f"{text} Please rename existing component.", ("Name",))
        case "PermissionSetAssignment":
            if _exists(org, object_name, values, "AssigneeId", "PermissionSetId"):
                pair = f"Assignee: {values['AssigneeId']}; Permission Set: {values['PermissionSetId']}"
                raise RowError("DUPLICATE_VALUE", f"Duplicate PermissionSetAssignment. {pair}")
        case "FieldPermissions":
            _check_grant(org, values)
            _refuse_twin(org, object_name, values, "ParentId", "Field")
        case "ObjectPermissions":
            if values.get("SobjectType") not in org.permissionable_objects():
                raise _bad_choice("Sobject Type Name", str(values.get("SobjectType")), "SobjectType")
            _refuse_twin(org, object_name, values, "ParentId", "SobjectType")


def _check_grant(org: SalesforceOrg, values: Mapping[str, Value]) -> None:
    owner, _, name = str(values.get("Field")).partition(".")
    if values.get("SobjectType") not in org.permissionable_objects():
        raise _bad_choice("Sobject Type Name", str(values.get("SobjectType")), "SobjectType")
    field = org.table(owner).spec.find(name) if owner == values.get("SobjectType") else None
    if field is None or not field.permissionable:
        raise _bad_choice("Field Name", str(values.get("Field")), "Field")


def _bad_choice(label: str, value: str, field: str) -> RowError:
    text = f"{label}: bad value for restricted picklist field: {value}"
    return RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, (field,))


def _refuse_twin(org: SalesforceOrg, object_name: str, values: Mapping[str, Value], *keys: str) -> None:
    if twin := _exists(org, object_name, values, *keys):
        text = f"duplicate value found: <unknown> duplicates value on record with id: {twin['Id']}"
        raise RowError("DUPLICATE_VALUE", text)


def _exists(org: SalesforceOrg, object_name: str, values: Mapping[str, Value], *keys: str) -> Row | None:
    wanted = [str(values.get(key)).lower() for key in keys]
    rows = org.table(object_name).scan()
    return next((row for row in rows if [str(row[key]).lower() for key in keys] == wanted), None)
