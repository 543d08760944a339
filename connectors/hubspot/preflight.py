"""What `check` looks at: the mapping against the portal, and what the token may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import MappingError, RefusedError, SchemaError
from ringfence.core.model.shapes import ObjectShape, OptOutFlag
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Finding, Level

from .client import HubSpotClient
from .errors import AnswerError
from .fields import ID, write_value
from .filters import Group
from .keyset import Searcher
from .schema import GROUP, GROUP_NAME, SETUP, Definition, Schema, companion_type, missing_field


def check_object(client: HubSpotClient, schema: Schema, shape: ObjectShape, scope: Group) -> Iterator[Finding]:
    """Yield what is right and wrong with one mapped object; changes nothing."""
    try:
        known = schema.definitions(shape.name)
    except RefusedError as error:
        yield _refused(shape.name, error)
        return
    problems = [*_check_fields(shape, known), *_check_flag(shape, known), *_check_scope(scope, shape, known)]
    yield from problems
    if not any(one.level is Level.PROBLEM for one in problems):
        yield Finding(Level.OK, shape.name, f"all {len(shape.read_fields())} mapped properties are there.")
        yield _try_reading(client, shape, scope)
    yield _try_writing(client, shape)


def _check_fields(shape: ObjectShape, known: Mapping[str, Definition]) -> Iterator[Finding]:
    missing = [name for name in shape.read_fields() if name not in known]
    if missing and all(one.get("groupName") != GROUP_NAME for one in known.values()):
        yield Finding(Level.WARNING, shape.name, f"the property group {GROUP['label']} is missing.", SETUP)
    for name in missing:
        yield _problem(f"{shape.name}.{name}", *missing_field(shape, name, known))
    for slot in shape.slots:
        for companion, name in slot.companions.items():
            if name in known:
                yield from _check_companion(f"{shape.name}.{name}", companion, known[name])
    for name in sorted(shape.owned_fields() & known.keys()):
        rights = known[name].get("modificationMetadata") or {}
        if rights.get("readOnlyValue") or known[name].get("calculated"):
            yield _problem(f"{shape.name}.{name}", f"{name} is read-only.", "Map a property that may be written.")


def _check_companion(subject: str, companion: Companion, definition: Definition) -> Iterator[Finding]:
    wanted, _ = companion_type(companion)
    if definition["type"] != wanted:
        yield _problem(
            subject,
            f"{definition['name']} is of the type {definition['type']}, not {wanted}.",
            "Archive it in HubSpot's settings and run `ringfence setup hubspot`, or map another property.",
        )
    elif companion is Companion.STATUS:
        options = {str(option["value"]) for option in definition.get("options") or ()}
        if lacking := [status.value for status in Status if status.value not in options]:
            yield _problem(
                subject,
                f"{definition['name']} lacks the options {', '.join(lacking)}.",
                "Add them in HubSpot's settings, with these internal names.",
            )


def _check_flag(shape: ObjectShape, known: Mapping[str, Definition]) -> Iterator[Finding]:
    flag = shape.opt_out
    if flag is None:
        yield Finding(
            Level.WARNING,
            shape.name,
            "no opt-out property is mapped, so nobody's wish not to be called is read or spread.",
            "Add `opt_out` to the mapping.",
        )
    elif flag.field in known and (wrong := _wrong_values(flag, known[flag.field])):
        yield _problem(f"{shape.name}.{flag.field}", *wrong, error=MappingError)


def _wrong_values(flag: OptOutFlag, definition: Definition) -> tuple[str, str] | None:
    kind = definition["type"]
    values = flag.true_values
    if kind == "bool":
        fits = all(value is True for value in values)
        return None if fits else (f"{flag.field} is a yes/no property.", "Write `true_values: [true]`.")
    if not all(isinstance(value, str) for value in values):
        return f"{flag.field} holds text ({kind}), not yes or no.", "Name its values as text in `true_values`."
    options = {str(option["value"]) for option in definition.get("options") or ()}
    strange = [write_value(value) for value in values if options and value not in options]
    if strange:
        hint = did_you_mean(strange[0], options)
        return f"{flag.field} has no option {strange[0]}{hint}.", "Correct `true_values` in the mapping."
    return None


def _check_scope(scope: Group, shape: ObjectShape, known: Mapping[str, Definition]) -> Iterator[Finding]:
    for item in scope:
        name = item["propertyName"]
        if name not in known:
            message = f"the filter names {name}, which {shape.name} lacks{did_you_mean(name, known)}."
            yield _problem(f"{shape.name}.{name}", message, "Correct the filter in the mapping.")


def _try_reading(client: HubSpotClient, shape: ObjectShape, scope: Group) -> Finding:
    try:
        count = Searcher(client, shape.name, (ID,), "describe").count([scope] if scope else [])
    except RefusedError as error:
        return _refused(shape.name, error)
    return Finding(Level.OK, shape.name, f"readable; {count} records{' in the filter' if scope else ''}.")


def _try_writing(client: HubSpotClient, shape: ObjectShape) -> Finding:
    """Return whether the token may write: an update of no records is refused for its scope, or for being empty."""
    try:
        client.update_batch(shape.name, [], "describe")
    except AnswerError as error:
        if error.status != 400:
            return _refused(shape.name, error)
    except RefusedError as error:
        return _refused(shape.name, error)
    return Finding(Level.OK, shape.name, "writable.")


def _refused(subject: str, error: RefusedError) -> Finding:
    kind = SchemaError if isinstance(error, AnswerError) else type(error)
    return _problem(subject, error.message, error.remedy, error=kind)


def _problem(subject: str, message: str, remedy: str, error: type[Exception] = SchemaError) -> Finding:
    return Finding(Level.PROBLEM, subject, message, remedy, error)
