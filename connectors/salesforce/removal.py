"""Taking away what set-up has made in an org: the companion fields and the permission sets, and nothing else.

A companion counts as set-up's when it bears the name that set-up gives it. A field that the mapping names itself may
have been the org's before, and the opt-out fields hold what people asked for: they stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ringfence.core.errors import AccessError, RingfenceError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.setup_steps import Kept, Removal, SetupStep

from .custom_fields import find_custom_fields
from .errors import AnswerError
from .list_views import LIST_VIEW, LIST_VIEW_LABEL
from .schema import Schema, define_all, own_companions, shown_type
from .service_components import REGISTRATION
from .setup import FIELD, GRANTS, find_permission_sets
from .setup_calls import SetupCalls
from .soql import literal

_GONE = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_HELP = "It takes an administrator (Customize Application, Manage Profiles and Permission Sets)."


def plan_removal(calls: SetupCalls, schema: Schema, shapes: Mapping[str, ObjectShape]) -> Removal:
    """Return what is there of set-up; fields come before the permission sets that show them."""
    there = find_custom_fields(calls, shapes)
    steps: list[SetupStep] = []
    kept: list[Kept] = []
    records = {}

    for name, shape in shapes.items():
        own = own_companions(shape)
        going = [field for field in own if (name, field) in there]
        metadata = define_all(shape)
        for field in going:
            label, kind = metadata[field]["label"], shown_type(metadata[field])
            steps.append(SetupStep(FIELD, f"{name}.{field}", there[name, field], label, kind))
        kept += _kept(shape, set(own))
        if going:
            records[name] = _count(calls, schema, name, going)

    steps += _plan_sets(calls)
    if steps:
        kept.append(
            Kept(LIST_VIEW, f"the list view {LIST_VIEW_LABEL!r} of an emitted project goes by its manifest alone.")
        )
        kept.append(
            Kept(
                REGISTRATION, "credentials, external service and flows of an emitted project go by its manifest alone."
            )
        )
    return Removal(steps, kept, records)


def apply_removal(calls: SetupCalls, schema: Schema, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
    """Delete the steps, yielding each when it is gone; one that Salesforce refuses carries its words."""
    for step in steps:
        try:
            if step.kind == FIELD:
                calls.delete_field(step.name, step.body)
            else:
                _delete_set(calls, step.body)
        except AnswerError as error:
            if error.fault.code not in _GONE:
                step = replace(step, refused=str(error.fault) or error.message)
        except AccessError as error:
            raise AccessError(f"The {step.kind} {step.name} was not deleted. {error.message}", _HELP) from error
        schema.forget()
        yield step


def _kept(shape: ObjectShape, own: set[str]) -> Iterator[Kept]:
    for field in shape.companion_fields():
        if field not in own:
            yield Kept(f"{shape.name}.{field}", "the mapping names it itself, so it may be a field of yours.")
    for name in shape.flag_fields():
        yield Kept(f"{shape.name}.{name}", "it holds people's opt-outs.")


def _count(calls: SetupCalls, schema: Schema, object_name: str, fields: Iterable[str]) -> int | None:
    """Return how many records hold something in any of the fields; None where the org does not tell."""
    try:
        known = schema.fields(object_name)
        visible = [name for name in fields if name in known]
        if not visible:
            return None
        where = " OR ".join(f"{name} != null" for name in visible)
        return calls.count(f"SELECT COUNT() FROM {object_name} WHERE {where}")  # noqa: S608  # names come from the mapping
    except RingfenceError:
        return None


def _plan_sets(calls: SetupCalls) -> Iterator[SetupStep]:
    sets = find_permission_sets(calls)
    if not sets:
        return
    listed = ", ".join(literal(owner) for owner in sets.values())
    soql = f"SELECT Id, PermissionSetId FROM PermissionSetAssignment WHERE PermissionSetId IN ({listed})"  # noqa: S608  # literals are escaped
    rows = calls.query(soql)
    for name, owner in sets.items():
        users = [str(row["Id"]) for row in rows if row["PermissionSetId"] == owner]
        yield SetupStep(GRANTS, name, (owner, users), type=f"assigned to {len(users)}")


def _delete_set(calls: SetupCalls, body: tuple[str, list[str]]) -> None:
    """Delete a permission set; Salesforce keeps one that is assigned, so its assignments go first."""
    owner, assignments = body
    for assignment in assignments:
        try:
            calls.delete("PermissionSetAssignment", assignment)
        except AnswerError as error:
            if error.fault.code not in _GONE:
                raise
    calls.delete("PermissionSet", owner)
