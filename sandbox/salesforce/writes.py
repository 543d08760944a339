"""Creates, updates and deletes single rows by the rules of the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .access import Access
from .duplicates import refuse_duplicate
from .errors import RowError
from .ids import full_id
from .journal import Journal
from .permissions import check_new
from .person_accounts import mirror, refuse_contact
from .record_types import check_choices
from .state import OrgState
from .table import Row, Table, Value
from .values import check_values, missing_fields, read_values

ASSIGNABLE = frozenset({"Account", "Lead"})
ACCESS_OBJECTS = frozenset({"PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions"})


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: the user, whether assignment rules may change owners, the undo list of the request, and whether rows
    are saved that a duplicate rule alerts to.
    """

    user_id: str
    assigns: bool
    journal: Journal
    saves_duplicates: bool = False


def create_row(org: OrgState, object_name: str, payload: Mapping[str, object], author: Author) -> str:
    """Create a row and return its id; raises RowError, or ApiError for JSON of the wrong type."""
    if org.table(object_name).spec.fixed:
        raise _no_access()
    return create_values(org, object_name, read_values(org.access(object_name), payload), author)


def create_values(org: OrgState, object_name: str, values: dict[str, Value], author: Author) -> str:
    """Create a row of values that have been read, and return its id; raises RowError."""
    access = org.access(object_name)
    table = org.table(object_name)
    _refuse_locked(access, values, creating=True)
    required = [field.name for field in table.spec.fields.values() if field.required and values.get(field.name) is None]
    if required:
        raise missing_fields(required)

    check_values(table.spec.fields, values)
    _check_references(org, table, values)
    check_new(org, object_name, values)
    check_choices(org, object_name, Row(org.defaults(object_name)), values)
    _ask_rules(org, object_name, Row(), values)
    refuse_duplicate(org, table, Row(), values, saves=author.saves_duplicates)
    row = new_row(org, table, values, author.user_id, org.stamp())

    if author.assigns and object_name in ASSIGNABLE:
        row["OwnerId"] = org.assigned_owner_id

    row_id = table.insert(row)
    author.journal.note(lambda: table.remove(row_id))
    _forget_access(org, object_name, author.journal)
    return row_id


def new_row(org: OrgState, table: Table, values: Mapping[str, Value], user_id: str, stamp: str) -> Row:
    """Return a new row, not in the table yet, with the defaults and stamps that the service fills in."""
    row = Row(org.defaults(table.spec.name))
    row.update(values)
    if not table.spec.plain:
        row.setdefault("OwnerId", user_id)
    row.update(CreatedDate=stamp, CreatedById=user_id)
    _touch(row, user_id, stamp)
    _rename(table, row)
    return row


def update_row(org: OrgState, object_name: str, given_id: str, payload: Mapping[str, object], author: Author) -> str:
    """Change a row and return its 18-character id; raises RowError, or ApiError for JSON of the wrong type."""
    return update_values(org, object_name, given_id, read_values(org.access(object_name), payload), author)


def update_values(org: OrgState, object_name: str, given_id: str, values: dict[str, Value], author: Author) -> str:
    """Change a row by values that have been read, and return its 18-character id; raises RowError."""
    access = org.access(object_name)
    table = org.table(object_name)
    row = find_row(table, given_id)
    if table.spec.fixed:
        raise _no_access()

    _refuse_locked(access, values, creating=False)
    refuse_contact(object_name, row)
    if row["IsConverted"] is True:
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")

    check_values(table.spec.fields, values)
    _check_references(org, table, values)
    check_choices(org, object_name, row, values)
    _ask_rules(org, object_name, row, values)
    refuse_duplicate(org, table, row, values, saves=author.saves_duplicates)

    if author.assigns and object_name in ASSIGNABLE:
        values["OwnerId"] = org.assigned_owner_id

    change_row(table, row, values, author.user_id, org.stamp(), author.journal)
    mirror(org, object_name, row, values, author.user_id, author.journal)
    _forget_access(org, object_name, author.journal)
    return str(row["Id"])


def change_row(table: Table, row: Row, values: Mapping[str, Value], user_id: str, stamp: str, journal: Journal) -> None:
    """Set values that have been checked, update the row's modification stamps, and note the reversal."""
    before = dict(row)

    def restore() -> None:
        row.clear()
        row.update(before)

    row.update(values)

    if "LastName" in values or "FirstName" in values:
        _rename(table, row)

    _touch(row, user_id, stamp)
    journal.note(restore)


def delete_row(org: OrgState, object_name: str, given_id: str, author: Author) -> None:
    """Delete a row: into the recycle bin, or for good where the object has none; raises RowError."""
    table = org.table(object_name)
    row = find_row(table, given_id)
    if table.spec.fixed:
        raise _no_access()
    if table.spec.plain:
        _erase(table, row, author.journal)

        for child in ("PermissionSetAssignment", "FieldPermissions", "ObjectPermissions"):
            children = org.table(child)
            for orphan in [
                other for other in children.scan() if row["Id"] in (other["ParentId"], other["PermissionSetId"])
            ]:
                _erase(children, orphan, author.journal)

        _forget_access(org, object_name, author.journal)
        return

    change_row(table, row, {"IsDeleted": True}, author.user_id, org.stamp(), author.journal)


def _erase(table: Table, row: Row, journal: Journal) -> None:
    table.remove(str(row["Id"]))
    journal.note(lambda: table.restore(row))


def find_row(table: Table, given_id: str) -> Row:
    """Return the row of a 15- or 18-character id.

    Raises RowError: MALFORMED_ID, INVALID_CROSS_REFERENCE_KEY for a row that never was, ENTITY_IS_DELETED.
    """
    row = table.rows.get(given_id)
    if row is None:
        row_id = full_id(given_id)
        if row_id is None or not row_id.startswith(table.spec.prefix):
            text = f"{table.spec.fields['Id'].label}: id value of incorrect type: {given_id}"
            raise RowError("MALFORMED_ID", text, ("Id",))
        row = table.rows.get(row_id)

    if row is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row["IsDeleted"] is True:
        raise RowError("ENTITY_IS_DELETED", "entity is deleted")

    return row


def _refuse_locked(access: Access, values: Mapping[str, Value], *, creating: bool) -> None:
    fields = access.spec.fields
    locked = [
        name
        for name in values
        if name not in access.editable or not (fields[name].createable if creating else fields[name].updateable)
    ]

    if locked:
        text = f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of this field"
        raise RowError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"{text} and verify that it is read/write for your profile or permission set.",
            locked,
        )


def _check_references(org: OrgState, table: Table, values: Mapping[str, Value]) -> None:
    for name, value in values.items():
        field = table.spec.fields[name]
        others = [org.tables[target] for target in field.targets if target in org.tables] if field.targets else []
        if value is None or not others:
            continue

        other = next((one for one in others if str(value).startswith(one.spec.prefix)), None)
        if other is None:
            text = f"{field.label}: id value of incorrect type: {value}"
            raise RowError("FIELD_INTEGRITY_EXCEPTION", text, (name,))
        if str(value) not in other.rows or other.rows[str(value)]["IsDeleted"] is True:
            text = f"insufficient access rights on cross-reference id: {value}"
            raise RowError("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text)


def _ask_rules(org: OrgState, object_name: str, row: Row, values: Mapping[str, Value]) -> None:
    refusal = org.refuse_row(object_name, row, values) if org.refuse_row else None
    if refusal:
        raise RowError(refusal[0], refusal[1])


def check_triggers(org: OrgState, object_name: str, rows: int) -> None:
    """Raise RowError, which goes for all of them, where the triggers of an object do not get through so many rows."""
    most = org.traits.trigger_limits.get(object_name)
    if most is not None and rows > most:
        text = f"{object_name}Trigger: System.LimitException: Apex CPU time limit exceeded"
        raise RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text)


def _no_access() -> RowError:
    return RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def _touch(row: Row, user_id: str, stamp: str) -> None:
    row["LastModifiedDate"] = row["SystemModstamp"] = stamp
    row["LastModifiedById"] = user_id


def _rename(table: Table, row: Row) -> None:
    if "LastName" in table.spec.fields:
        row["Name"] = " ".join(str(row[part]) for part in ("FirstName", "LastName") if row[part])


def _forget_access(org: OrgState, object_name: str, journal: Journal) -> None:
    if object_name in ACCESS_OBJECTS:
        org.forget_access()
        journal.note(org.forget_access)
