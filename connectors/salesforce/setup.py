"""Creating what the mapping needs in an org: fields, and permission sets that show them.

A new field is hidden from everybody until field-level security grants it (docs/vendors/salesforce.md, section 2.9).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby

from ringfence.core.errors import AccessError, RefusedError, SchemaError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.setup_steps import SetupStep

from .client import Row
from .custom_fields import find_custom_fields
from .errors import AnswerError
from .granting import OBJECT_GRANT, Grant, Granting
from .individuals import CONSENTS, INDIVIDUAL, REFUSALS, find_link, see_fields
from .permission_sets import EDIT, PERMISSION_SETS, PermissionSetSpec
from .schema import CUSTOM, Schema, define_all, shown_type
from .setup_calls import SetupCalls
from .soql import literal

FIELD, GRANTS, GRANT, ASSIGNMENT = "custom field", "permission set", "field permission", "assignment"
_TAKEN = frozenset({"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"})
_HELP = "It takes an administrator (Customize Application, Manage Profiles and Permission Sets), or use --emit."


def plan_steps(calls: SetupCalls, schema: Schema, shapes: Mapping[str, ObjectShape]) -> list[SetupStep]:
    """Return what the org lacks, in order.

    It is empty when the user can edit every field that a sync writes, and hears what Individuals refuse.
    """
    lacking = {name: _lacking(schema, shape) for name, shape in shapes.items()}
    unheard = list(_plan_hearing(schema, shapes))
    if not any(lacking.values()) and not unheard:
        return []

    steps = list(_plan_fields(calls, shapes, lacking))
    sets = _known_sets(calls)
    steps += [SetupStep(GRANTS, spec.name, type=spec.label) for spec in PERMISSION_SETS if spec.name not in sets]
    steps += [step for step in unheard if step.kind == OBJECT_GRANT]
    steps += _plan_grants(calls, shapes, sets)
    steps += [step for step in unheard if step.kind == GRANT]

    user = _own_user(calls)
    if user is None or EDIT.name not in sets or not _is_assigned(calls, sets[EDIT.name], user):
        steps.append(SetupStep(ASSIGNMENT, EDIT.name, user, type="to the user of this log-in"))
    return steps


def apply_steps(calls: SetupCalls, schema: Schema, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
    """Create the steps, yielding each when it is done; what has come into being meanwhile is taken as done.

    A step that is refused by itself is yielded with Salesforce's words, and the others are created.
    """
    granting = Granting(calls, lambda: find_permission_sets(calls))
    refused: set[str] = set()
    for kind, group in groupby(steps, key=lambda step: step.kind):
        with _explained(kind):
            some = list(group)
            done = granting.grant(some, refused) if kind == GRANT else (_do(calls, granting, step) for step in some)
            for step in done:
                if step.refused:
                    refused.add(step.name)
                schema.forget()
                yield step


@contextmanager
def _explained(kind: str) -> Iterator[None]:
    """Say which kind of step a missing permission has stopped; it would stop the others of that kind as well."""
    try:
        yield
    except AccessError as error:
        raise AccessError(f"No {kind} was created. {error.message}", _HELP) from error


def _do(calls: SetupCalls, granting: Granting, step: SetupStep) -> SetupStep:
    try:
        match step.kind:
            case "custom field":
                calls.create_field(step.name, step.body)
            case "object permission":
                return granting.grant_reading(step)
            case "permission set":
                spec = next(spec for spec in PERMISSION_SETS if spec.name == step.name)
                body = {"Name": spec.name, "Label": spec.label, "Description": spec.description}
                calls.create("PermissionSet", body)
            case _:
                return _assign(calls, granting, step)
    except AnswerError as error:
        return step if error.fault.code in _TAKEN else replace(step, refused=str(error.fault) or error.message)
    return step


def _assign(calls: SetupCalls, granting: Granting, step: SetupStep) -> SetupStep:
    if step.body is None:
        by_hand = f"sf org assign permset --name {step.name} --on-behalf-of USERNAME"
        return replace(step, refused=f"the token does not tell whose it is. Assign it by hand: {by_hand}")
    owner = granting.id_of(step.name)
    calls.create("PermissionSetAssignment", {"PermissionSetId": owner, "AssigneeId": step.body})
    return step


def find_permission_sets(calls: SetupCalls) -> dict[str, str]:
    """Return name -> id of set-up's permission sets that are there."""
    listed = ", ".join(literal(spec.name) for spec in PERMISSION_SETS)
    soql = f"SELECT Id, Name FROM PermissionSet WHERE Name IN ({listed})"  # noqa: S608  # literals are escaped
    return {str(row["Name"]): str(row["Id"]) for row in calls.query(soql)}


def _lacking(schema: Schema, shape: ObjectShape) -> set[str]:
    known = schema.fields(shape.name)
    return {name for name in shape.owned_fields() if not known.get(name, {}).get("updateable")}


def _plan_fields(
    calls: SetupCalls, shapes: Mapping[str, ObjectShape], lacking: Mapping[str, set[str]]
) -> Iterator[SetupStep]:
    there = _known_fields(calls, shapes)
    for name, shape in shapes.items():
        for field, metadata in define_all(shape).items():
            if field not in lacking[name] or (name, field) in there:
                continue
            if not field.endswith(CUSTOM):
                raise SchemaError(
                    f"{name}.{field} does not exist, and only custom fields can be created.",
                    f"Name a field that ends in {CUSTOM} in the mapping.",
                )
            yield SetupStep(FIELD, f"{name}.{field}", metadata, metadata["label"], shown_type(metadata))


def _plan_grants(calls: SetupCalls, shapes: Mapping[str, ObjectShape], sets: Mapping[str, str]) -> Iterator[SetupStep]:
    held = _held_grants(calls, sets) if sets else {}
    for spec in PERMISSION_SETS:
        for name, shape in shapes.items():
            for field in spec.fields(shape):
                row = held.get((sets.get(spec.name, ""), f"{name}.{field}"))
                if row is None or (spec.editable and not row["PermissionsEdit"]):
                    grant = Grant(spec.name, spec.editable, str(row["Id"]) if row else None)
                    yield SetupStep(GRANT, f"{name}.{field}", grant, type=f"{spec.name}, {_right(spec)}")


def _plan_hearing(schema: Schema, shapes: Mapping[str, ObjectShape]) -> Iterator[SetupStep]:
    """Yield the rights to read that what Individuals refuse takes, where the mapped records may name one."""
    if not any(find_link(name, schema.fields(name)) for name in shapes):
        return

    read = f"{EDIT.name}, read"
    for name in (INDIVIDUAL, CONSENTS):
        fields = see_fields(schema, name)
        if not fields:
            yield SetupStep(OBJECT_GRANT, name, Grant(EDIT.name, editable=False), type=read)
        for refusal in REFUSALS if name == INDIVIDUAL else ():
            if refusal not in fields:
                yield SetupStep(GRANT, f"{name}.{refusal}", Grant(EDIT.name, editable=False), type=read)


def _known_fields(calls: SetupCalls, objects: Iterable[str]) -> Collection[tuple[str, str]]:
    """Return the custom fields of the objects, hidden ones included; none where the org does not tell.

    A field that is there after all is then found when it is created.
    """
    try:
        return find_custom_fields(calls, objects).keys()
    except AnswerError:
        return ()


def _known_sets(calls: SetupCalls) -> dict[str, str]:
    """Return set-up's permission sets; none where the org does not tell, so that their creation says what is wrong."""
    try:
        return find_permission_sets(calls)
    except AnswerError:
        return {}


def _held_grants(calls: SetupCalls, sets: Mapping[str, str]) -> dict[tuple[str, str], Row]:
    listed = ", ".join(literal(owner) for owner in sets.values())
    soql = f"SELECT Id, ParentId, Field, PermissionsEdit FROM FieldPermissions WHERE ParentId IN ({listed})"  # noqa: S608  # literals are escaped
    rows = calls.query(soql)
    return {(str(row["ParentId"]), str(row["Field"])): row for row in rows}


def _right(spec: PermissionSetSpec) -> str:
    return "edit" if spec.editable else "read"


def _own_user(calls: SetupCalls) -> str | None:
    """Return the id of the user behind the token, or None where nothing tells it."""
    try:
        return calls.user_id()
    except (RefusedError, KeyError):
        return None


def _is_assigned(calls: SetupCalls, owner: str, user: str) -> bool:
    where = f"PermissionSetId = {literal(owner)} AND AssigneeId = {literal(user)}"
    soql = f"SELECT Id FROM PermissionSetAssignment WHERE {where} LIMIT 1"  # noqa: S608  # literals are escaped
    return bool(calls.query(soql))
