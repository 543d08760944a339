"""Field-level security: what the API user may see and edit.

A custom field is hidden from everybody until a permission set grants it and is assigned (salesforce.md, section
2.9); fields that are not permissionable are always visible. Profile permissions and permission sets add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .schema import FieldSpec, ObjectSpec
from .table import Table, Value

Profile = Mapping[tuple[str, str], tuple[bool, bool]]
"""(object, field) -> whether the user's profile lets it be read, and edited; a field that it lacks is open."""


@dataclass(frozen=True, slots=True)
class Access:
    """One object through the eyes of the API user: visible fields by lower-case name, and names that may be edited."""

    spec: ObjectSpec
    visible: Mapping[str, FieldSpec]
    editable: frozenset[str]


def access_of(spec: ObjectSpec, tables: Mapping[str, Table], profile: Profile, user_id: str) -> Access:
    """Return what a user may see and edit of an object; `tables` hold the permission sets and their assignments."""
    granted = _granted(tables, user_id, spec.name)
    visible: dict[str, FieldSpec] = {}
    editable: set[str] = set()

    for name, field in spec.fields.items():
        read, edit = (True, True) if not field.permissionable else profile.get((spec.name, name), (True, True))
        granted_read, granted_edit = granted.get(f"{spec.name}.{name}", (False, False))
        if read or granted_read:
            visible[name.lower()] = field
            if edit or granted_edit:
                editable.add(name)

    return Access(spec, visible, frozenset(editable))


def lets_read(object_name: str, tables: Mapping[str, Table], user_id: str) -> bool:
    """Return whether a permission set of a user lets the records of an object be read."""
    assigned = _assigned(tables, user_id)
    return any(
        row["SobjectType"] == object_name and row["ParentId"] in assigned and row["PermissionsRead"] is True
        for row in tables["ObjectPermissions"].scan()
    )


def _assigned(tables: Mapping[str, Table], user_id: str) -> set[Value]:
    """Return the ids of a user's permission sets."""
    assignments = tables["PermissionSetAssignment"].scan()
    return {row["PermissionSetId"] for row in assignments if row["AssigneeId"] == user_id}


def _granted(tables: Mapping[str, Table], user_id: str, object_name: str) -> dict[str, tuple[bool, bool]]:
    """Return `object.field` -> (read, edit) as the permission sets of a user grant them together."""
    assigned = _assigned(tables, user_id)
    found: dict[str, tuple[bool, bool]] = {}

    for row in tables["FieldPermissions"].scan():
        if row["SobjectType"] == object_name and row["ParentId"] in assigned:
            read, edit = found.get(str(row["Field"]), (False, False))
            reads = read or row["PermissionsRead"] is True
            found[str(row["Field"])] = (reads, reads and (edit or row["PermissionsEdit"] is True))

    return found
