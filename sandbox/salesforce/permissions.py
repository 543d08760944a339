"""What the service refuses about permission sets, their assignments and the permissions that they grant."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import RowError
from .state import OrgState
from .table import Row, Value


def check_new(org: OrgState, object_name: str, values: Mapping[str, Value]) -> None:
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


def _check_grant(org: OrgState, values: Mapping[str, Value]) -> None:
    owner, _, name = str(values.get("Field")).partition(".")
    if values.get("SobjectType") not in org.permissionable_objects():
        raise _bad_choice("Sobject Type Name", str(values.get("SobjectType")), "SobjectType")
    field = org.table(owner).spec.find(name) if owner == values.get("SobjectType") else None
    if field is None or not field.permissionable:
        raise _bad_choice("Field Name", str(values.get("Field")), "Field")


def _bad_choice(label: str, value: str, field: str) -> RowError:
    text = f"{label}: bad value for restricted picklist field: {value}"
    return RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, (field,))


def _refuse_twin(org: OrgState, object_name: str, values: Mapping[str, Value], *keys: str) -> None:
    if twin := _exists(org, object_name, values, *keys):
        text = f"duplicate value found: <unknown> duplicates value on record with id: {twin['Id']}"
        raise RowError("DUPLICATE_VALUE", text)


def _exists(org: OrgState, object_name: str, values: Mapping[str, Value], *keys: str) -> Row | None:
    wanted = [str(values.get(key)).lower() for key in keys]
    rows = org.table(object_name).scan()
    return next((row for row in rows if [str(row[key]).lower() for key in keys] == wanted), None)
