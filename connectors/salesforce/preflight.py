"""The preflight: the mapping compared with the org, and what the user may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import AccessError, MappingError, RefusedError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion, Value
from ringfence.core.ports.crm import Finding, Level, Org

from ..http.preflight import (
    NOT_THERE_YET,
    ONLY_READ,
    FlagField,
    has_problem,
    missing_statuses,
    problem,
    warn_of_no_opt_out,
    warn_of_unfit_consent,
    wrong_true_values,
)
from .client import SalesforceClient
from .errors import AnswerError, QueryTimeoutError
from .fit import check_conditions, check_types
from .paging import read_first
from .quota import Usage
from .schema import COMPANIONS, CUSTOM, SETUP, Described, Schema
from .settings import VARIABLE
from .soql import Query, base_conditions, beside_others
from .user import read_user

LOW_SHARE = 10
"""Percent of the day's API calls left above the reserve under which `check` warns."""


_HIDDEN = "A field that field-level security hides from the user looks the same."
_UNHEARD = "hidden from the user, or not there: who opted out by it cannot be read, and so counts as not opted out"
_SETS = "Setup > Permission Sets > one of the user's > Object Settings"
_TYPES = {
    Companion.STATUS: frozenset({"picklist", "string", "textarea"}),
    Companion.LAST_SCREENED: frozenset({"datetime"}),
}
_TEXT_TYPES = frozenset({"string", "textarea", "phone", "picklist", "url"})


def check_account(client: SalesforceClient, org: Org) -> Iterator[Finding]:
    """Yield the org, the user and what is left of the day's API calls."""
    kind = "a production org" if org.production else "not a production org"
    yield Finding(Level.OK, "org", f"{org.name} ({org.id}), {kind}.")

    try:
        user = read_user(client, "describe")
        yield Finding(Level.OK, "user", f"logged in as {user.get('preferred_username') or user.get('user_id')}.")
    except RefusedError as error:
        yield Finding(Level.WARNING, "user", f"the token does not tell whose it is. {error.message}", error.remedy)

    for usage in client.quota.usages:
        yield _usage_finding(usage, client.quota.reserve)


def _usage_finding(usage: Usage, reserve: int) -> Finding:
    left = max(0, usage.allowed(reserve) - usage.used)
    level = Level.WARNING if left * 100 < usage.limit * LOW_SHARE else Level.OK
    subject = "API calls" if usage.app is None else f"API calls of {usage.whose}"
    message = f"{left:,} of {usage.limit:,} are left for these 24 hours, besides {reserve} % that are left to others."
    remedy = f"Run it later, or lower {VARIABLE}DAILY_RESERVE." if level is Level.WARNING else ""
    return Finding(level, subject, message, remedy)


def _other_names(client: SalesforceClient) -> list[str]:
    try:
        return client.object_names()
    except RefusedError:
        return []


def check_object(client: SalesforceClient, schema: Schema, shape: ObjectShape) -> Iterator[Finding]:
    """Yield the findings about one mapped object; changes nothing."""
    try:
        described = schema.describe(shape.name)
    except AnswerError:
        hint = did_you_mean(shape.name, _other_names(client))
        yield problem(
            shape.name,
            f"the org shows no object {shape.name}{hint}.",
            "Correct the mapping, or give the user access to the object.",
        )
        return

    if described["name"] != shape.name:
        yield problem(shape.name, f"the org spells it {described['name']}.", "Spell it so in the mapping.")
        return

    known = schema.fields(shape.name)
    findings = [*_check_fields(shape, known), *check_types(shape, known)]
    findings += [*check_conditions(shape, known), *_check_flags(shape, known), *_check_consent(shape, known)]

    if not described.get("updateable", True):
        message = "the user may not edit records of it."
        remedy = f"{_SETS} > {described.get('labelPlural') or shape.name}: tick Read and Edit."
        findings.append(problem(shape.name, message, remedy, AccessError, in_preview=ONLY_READ))

    yield from findings

    if not has_problem(findings):
        yield Finding(Level.OK, shape.name, f"all {len(shape.read_fields())} mapped fields are there and fit.")

    if shape.filter:
        yield _try_filter(client, shape)


def _check_fields(shape: ObjectShape, known: Mapping[str, Described]) -> Iterator[Finding]:
    for name in shape.read_fields():
        if name not in known:
            yield _missing(shape, name, known)

    for slot in shape.slots:
        if slot.normalize and slot.field in known:
            yield from _check_editable(shape, known[slot.field])
        for companion, name in slot.companions.items():
            if name in known:
                yield from _check_editable(shape, known[name])
                yield from _check_companion(f"{shape.name}.{name}", companion, known[name])


def _missing(shape: ObjectShape, name: str, known: Mapping[str, Described]) -> Finding:
    subject = f"{shape.name}.{name}"
    if name in shape.companion_fields():
        message = f"there is no companion field {name} that the user sees. {_HIDDEN}"
        if not name.endswith(CUSTOM):
            return problem(subject, message, "Map a custom field of yours.")
        return problem(subject, message, f"{SETUP} It also grants access to it.", in_preview=NOT_THERE_YET)

    hint = did_you_mean(name, known)
    access = f"{_SETS} > {shape.name} > Field Permissions"
    if name in shape.flag_fields():
        message = f"{shape.name} shows no field {name}{hint}: field-level security hides it, or it is not there."
        remedy = f"{SETUP} It grants access where the field is there. By hand: {access}. Else correct the mapping."
        return problem(subject, message, remedy, in_preview="" if hint else _UNHEARD)

    message = f"{shape.name} has no field {name} that the user sees{hint}. {_HIDDEN}"
    return problem(subject, message, f"Correct the mapping, or give the user access to the field: {access}.")


def _check_editable(shape: ObjectShape, field: Described) -> Iterator[Finding]:
    if not field.get("updateable"):
        name = field["name"]
        calculated = "it is calculated" if field.get("calculated") else "the user may only read it"
        message = f"{name} cannot be written: {calculated}."
        remedy = f"{SETUP} It grants access. By hand: {_SETS} > {shape.name} > Field Permissions: tick Edit Access."
        if field.get("calculated"):
            remedy = "Map a field that is not calculated."
        yield problem(f"{shape.name}.{name}", message, remedy, AccessError, in_preview=ONLY_READ)


def _check_companion(subject: str, companion: Companion, field: Described) -> Iterator[Finding]:
    spec, kind, length = COMPANIONS[companion], field["type"], int(field.get("length") or 0)
    remedy = "Map another field under `companions`, or delete this one and run `ringfence setup salesforce`."

    if kind not in _TYPES.get(companion, _TEXT_TYPES):
        yield problem(subject, f"{field['name']} is of the type {kind}; it has to be {spec.type}.", remedy)
    elif length < spec.length:
        yield problem(subject, f"{field['name']} holds {length} characters; {spec.length} are needed.", remedy)
    elif not field.get("filterable", True):
        yield problem(subject, f"{field['name']} cannot be asked for in a query.", remedy)
    elif companion is Companion.STATUS and field.get("restrictedPicklist"):
        yield from _check_statuses(subject, field)


def _check_statuses(subject: str, field: Described) -> Iterator[Finding]:
    owner, name = subject.split(".")
    place = f"Setup > Object Manager > {owner} > Fields & Relationships > {field.get('label') or name}"
    remedy = f"{place}: clear `Restrict picklist to the values defined in the value set`."
    if missing := missing_statuses(_active_values(field)):
        yield problem(
            subject,
            f"the picklist {field['name']} is restricted and lacks {missing}.",
            f"Add these values to it, or: {remedy}",
        )
        return

    message = f"the picklist {field['name']} is restricted: rows of a record type that leaves a status out are refused."
    yield Finding(Level.WARNING, subject, message, remedy)


def _check_flags(shape: ObjectShape, known: Mapping[str, Described]) -> Iterator[Finding]:
    if not shape.opt_outs:
        yield warn_of_no_opt_out(shape, "field")
    for flag in shape.opt_outs:
        if (field := known.get(flag.field)) is None:
            continue
        subject = f"{shape.name}.{flag.field}"
        if wrong := wrong_true_values(flag, _flag_field(field)):
            yield problem(subject, *wrong, error=MappingError)
        elif not flag.ours:
            yield Finding(Level.OK, subject, "the user may read it.")
        elif denied := list(_check_editable(shape, field)):
            yield from denied
        else:
            yield Finding(Level.OK, subject, "the user may edit the opt-out field.")


def _check_consent(shape: ObjectShape, known: Mapping[str, Described]) -> Iterator[Finding]:
    if shape.consent is None or (field := known.get(shape.consent.field)) is None:
        return
    can_hold: list[Value] | None = [*_active_values(field)] if field.get("restrictedPicklist") else None
    if field["type"] == "boolean":
        can_hold = [True, False]
    at = known.get(shape.consent.at or "")
    yield from warn_of_unfit_consent(shape, can_hold, at["type"] if at else None)


def _flag_field(field: Described) -> FlagField:
    name = field["name"]
    return FlagField(
        is_boolean=field["type"] == "boolean",
        options=_active_values(field) if field.get("restrictedPicklist") else None,
        wrong_boolean=f"{name} is a checkbox.",
        wrong_text=f"{name} holds text ({field['type']}).",
        wrong_option=f"the picklist {name} has no value {{value!r}}",
    )


def _active_values(field: Described) -> list[str]:
    return [str(value["value"]) for value in field.get("picklistValues") or () if value.get("active", True)]


def _try_filter(client: SalesforceClient, shape: ObjectShape) -> Finding:
    query = Query(shape.name, ("Id",), (*base_conditions(shape), beside_others(str(shape.filter))), limit=1)
    try:
        (answer,) = read_first(client, [query], "describe")
    except AnswerError as error:
        return problem(
            f"{shape.name}.filter", f"the org does not take the filter: {error.fault}", "Correct it in the mapping."
        )
    if isinstance(answer, QueryTimeoutError):
        message = "the org takes the filter, but not within two minutes: what is due by age is read by a Bulk job."
        return Finding(Level.WARNING, f"{shape.name}.filter", message, "A filter on an indexed field is quicker.")
    return Finding(Level.OK, f"{shape.name}.filter", "the org takes the filter.")
