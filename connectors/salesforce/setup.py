"""Creating what the mapping needs in an org: fields, and a permission set that shows them to the user.

A new field is hidden from everybody until field-level security grants it (docs/vendors/salesforce.md, section 2.9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ringfence.core.errors import AccessError, SchemaError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import SetupStep

from .client import Row, SalesforceClient
from .errors import AnswerError
from .schema import CUSTOM, Schema, define_all
from .soql import literal

PERMISSION_SET = "RF_Ringfence"
PERMISSION_SET_LABEL = "ringfence"
PERMISSION_SET_TEXT = "Lets ringfence keep its companion fields and raise opt-out flags."

FIELD, GRANTS, GRANT, ASSIGNMENT = "custom field", "permission set", "field permission", "assignment"
_TAKEN = frozenset({"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"})


def plan_steps(client: SalesforceClient, schema: Schema, shapes: Mapping[str, ObjectShape]) -> list[SetupStep]:
    """Return what the org lacks, in order; empty when the user can edit every field that a sync writes."""
    lacking = {name: _lacking(schema, shape) for name, shape in shapes.items()}
    if not any(lacking.values()):
        return []

    steps = list(_plan_fields(client, shapes, lacking))
    owner = _permission_set(client)
    if owner is None:
        steps.append(SetupStep(GRANTS, PERMISSION_SET))

    steps += _plan_grants(client, shapes, owner)
    user = str(client.user("setup")["user_id"])
    if owner is None or not _is_assigned(client, owner, user):
        steps.append(SetupStep(ASSIGNMENT, PERMISSION_SET, user))

    return steps


def apply_steps(client: SalesforceClient, schema: Schema, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
    """Create the steps, yielding each when it is done; what has come into being meanwhile is taken as done."""
    owner: str | None = None
    for step in steps:
        with _named(step):
            if step.kind == FIELD:
                client.create_field(step.name, step.body)
            elif step.kind == GRANTS:
                body = {"Name": PERMISSION_SET, "Label": PERMISSION_SET_LABEL, "Description": PERMISSION_SET_TEXT}
                client.create("PermissionSet", body)
            else:
                owner = owner or _permission_set(client)
                _grant(client, step, _required(owner))

        schema.forget()
        yield step


def granted_fields(shape: ObjectShape) -> list[str]:
    """Return the fields of an object that the permission set makes editable: those that a sync writes."""
    return sorted(shape.owned_fields())


def _lacking(schema: Schema, shape: ObjectShape) -> set[str]:
    known = schema.fields(shape.name)
    return {name for name in shape.owned_fields() if not known.get(name, {}).get("updateable")}


def _plan_fields(
    client: SalesforceClient, shapes: Mapping[str, ObjectShape], lacking: Mapping[str, set[str]]
) -> Iterator[SetupStep]:
    objects = ", ".join(literal(name) for name in shapes)
    soql = f"SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE TableEnumOrId IN ({objects})"  # noqa: S608  # literals are escaped
    there = {(row["TableEnumOrId"], row["DeveloperName"]) for row in _all(client, client.tooling_query(soql))}

    for name, shape in shapes.items():
        for field, metadata in define_all(shape).items():
            if field not in lacking[name] or (name, field.removesuffix(CUSTOM)) in there:
                continue
            if not field.endswith(CUSTOM):
                raise SchemaError(
                    f"{name}.{field} does not exist, and only custom fields can be created.",
                    f"Name a field that ends in {CUSTOM} in the mapping.",
                )
            yield SetupStep(FIELD, f"{name}.{field}", metadata)


def _plan_grants(client: SalesforceClient, shapes: Mapping[str, ObjectShape], owner: str | None) -> Iterator[SetupStep]:
    held: dict[str, Row] = {}
    if owner is not None:
        soql = f"SELECT Id, Field, PermissionsEdit FROM FieldPermissions WHERE ParentId = {literal(owner)}"  # noqa: S608  # literals are escaped
        held = {row["Field"]: row for row in _all(client, client.query(soql, "setup"))}

    for name, shape in shapes.items():
        for field in granted_fields(shape):
            full_name = f"{name}.{field}"
            row = held.get(full_name)
            if row is None or not row["PermissionsEdit"]:
                yield SetupStep(GRANT, full_name, row["Id"] if row else None)


def _grant(client: SalesforceClient, step: SetupStep, owner: str) -> None:
    edit = {"PermissionsRead": True, "PermissionsEdit": True}
    if step.kind == ASSIGNMENT:
        client.create("PermissionSetAssignment", {"PermissionSetId": owner, "AssigneeId": step.body})
    elif step.body is not None:
        client.update("FieldPermissions", step.body, edit)
    else:
        object_name = step.name.partition(".")[0]
        body = {"ParentId": owner, "SobjectType": object_name, "Field": step.name, **edit}
        client.create("FieldPermissions", body)


def _permission_set(client: SalesforceClient) -> str | None:
    soql = f"SELECT Id FROM PermissionSet WHERE Name = {literal(PERMISSION_SET)} LIMIT 1"  # noqa: S608  # literals are escaped
    records = client.query(soql, "setup")["records"]
    return str(records[0]["Id"]) if records else None


def _is_assigned(client: SalesforceClient, owner: str, user: str) -> bool:
    where = f"PermissionSetId = {literal(owner)} AND AssigneeId = {literal(user)}"
    soql = f"SELECT Id FROM PermissionSetAssignment WHERE {where} LIMIT 1"  # noqa: S608  # literals are escaped
    return bool(client.query(soql, "setup")["records"])


def _all(client: SalesforceClient, page: Row) -> Iterator[Any]:
    yield from page["records"]
    while not page["done"]:
        page = client.more(page["nextRecordsUrl"], "setup")
        yield from page["records"]


def _required(owner: str | None) -> str:
    if owner is None:
        raise SchemaError(
            f"The permission set {PERMISSION_SET} is not there.", "Run `ringfence setup salesforce` again."
        )
    return owner


@contextmanager
def _named(step: SetupStep) -> Iterator[None]:
    try:
        yield
    except AnswerError as error:
        if error.fault.code in _TAKEN:
            return
        raise SchemaError(f"The {step.kind} {step.name} was not created. {error.message}", _HELP) from error
    except AccessError as error:
        raise AccessError(f"The {step.kind} {step.name} was not created. {error.message}", _HELP) from error


_HELP = "It takes an administrator (Customize Application, Manage Profiles and Permission Sets), or use --emit."
