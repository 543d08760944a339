"""The preflight: the mapping compared with the portal, and what the token may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import AccessError, MappingError, RefusedError, SchemaError, StoppedError, UnreachableError
from ringfence.core.model.shapes import ObjectShape, OptOutFlag
from ringfence.core.model.values import Companion, Value
from ringfence.core.ports.crm import Depth, Finding, Level

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
from ..http.retry import without_patience
from .client import HubSpotClient
from .errors import AnswerError, object_scope, schema_scope
from .fields import ID
from .filters import Group
from .paging import Searcher
from .property_limits import check_room
from .schema import GROUP, GROUP_NAME, SETUP, Definition, Schema, companion_type, find_absent, missing_field

_NOBODY_YET = "not there yet, and so nobody has opted out by it"

PLACE = "HubSpot: Development > Keys > Service keys > the key (of an app: its Auth tab)"
PROPERTIES = "HubSpot: Settings > Data Management > Properties"
GRANT = f"Add it to the scopes of the token: {PLACE}. Then run `ringfence check hubspot` again."

SEVERAL_VALUES = "checkbox"
"""The field type of a property that holds several of its options at once, with semicolons between them."""


def check_object(
    client: HubSpotClient, schema: Schema, shape: ObjectShape, scope: Group, depth: Depth, token: Token | None = None
) -> Iterator[Finding]:
    """Yield the findings about one mapped object; changes nothing. ``token`` is what is known of the token's scopes."""
    try:
        known = schema.definitions(shape.name)
    except RefusedError as error:
        yield _refused(shape.name, error)
        return

    in_filter = list(_check_scope(scope, shape, known))
    findings = [*_check_fields(shape, known), *_check_flags(shape, known), *_check_consent(shape, known), *in_filter]
    yield from findings

    if not has_problem(findings):
        yield Finding(Level.OK, shape.name, f"all {len(shape.read_fields())} mapped properties are there.")

    # A filter that the portal cannot read says nothing about what the token may read.
    yield _try_reading(client, shape, () if in_filter else scope)
    if depth is not Depth.PREVIEW:
        yield _judge_writing(token, shape.name) if token else _try_writing(client, shape)
    if token and find_absent(shape, known):
        yield from _check_setup_scope(token, shape.name)


def check_room_for_setup(client: HubSpotClient, schema: Schema, shapes: Mapping[str, ObjectShape]) -> Iterator[Finding]:
    """Yield a problem where the portal has no room for the properties that setup would create."""
    wanted: dict[str, int] = {}
    for name, shape in shapes.items():
        with suppress(RefusedError):  # it is told of the object itself
            wanted[name] = len(find_absent(shape, schema.definitions(name)))

    missing = {name: number for name, number in wanted.items() if number}
    try:
        with without_patience(), suppress(StoppedError):
            if missing:
                check_room(client, missing)
    except SchemaError as error:
        yield problem("custom properties", error.message, error.remedy, in_preview="too many for the portal's limit")


def _check_fields(shape: ObjectShape, known: Mapping[str, Definition]) -> Iterator[Finding]:
    missing = [name for name in shape.read_fields() if name not in known]
    if missing and all(one.get("groupName") != GROUP_NAME for one in known.values()):
        yield Finding(Level.WARNING, shape.name, f"the property group {GROUP['label']} is missing.", SETUP)

    for name in missing:
        yield problem(
            f"{shape.name}.{name}", *missing_field(shape, name, known), in_preview=_in_preview(shape, name, known)
        )

    for slot in shape.slots:
        for companion, name in slot.companions.items():
            if name in known:
                yield from _check_companion(f"{shape.name}.{name}", companion, known[name])

    for name in sorted(shape.owned_fields() & known.keys()):
        rights = known[name].get("modificationMetadata") or {}
        if rights.get("readOnlyValue") or known[name].get("calculated"):
            yield problem(f"{shape.name}.{name}", f"{name} is read-only.", "Map a property that may be written.")


def _in_preview(shape: ObjectShape, name: str, known: Mapping[str, Definition]) -> str:
    """Return what a dry run says of a property that is missing; empty where setup would not create it."""
    if name not in find_absent(shape, known):
        return ""
    return _NOBODY_YET if name in shape.flag_fields() else NOT_THERE_YET


def _check_companion(subject: str, companion: Companion, definition: Definition) -> Iterator[Finding]:
    wanted, _ = companion_type(companion)

    if definition["type"] != wanted:
        yield problem(
            subject,
            f"{definition['name']} is of the type {definition['type']}, not {wanted}.",
            f"Archive it ({PROPERTIES}) and run `ringfence setup hubspot`, or map another property.",
        )
    elif companion is Companion.STATUS and (missing := missing_statuses(_options(definition))):
        yield problem(
            subject,
            f"{definition['name']} lacks the options {missing}.",
            f"Add them with these internal names: {PROPERTIES} > {definition.get('label') or definition['name']}.",
        )


def _check_flags(shape: ObjectShape, known: Mapping[str, Definition]) -> Iterator[Finding]:
    if not shape.opt_outs:
        yield warn_of_no_opt_out(shape, "property")
    for flag in shape.opt_outs:
        if (definition := known.get(flag.field)) is None:
            continue
        if wrong := wrong_true_values(flag, _flag_field(definition)) or _wrong_multiple(flag, definition):
            yield problem(f"{shape.name}.{flag.field}", *wrong, error=MappingError)


def _check_consent(shape: ObjectShape, known: Mapping[str, Definition]) -> Iterator[Finding]:
    if shape.consent is None or (definition := known.get(shape.consent.field)) is None:
        return
    can_hold: list[Value] | None = [*_options(definition)] or None
    if definition["type"] == "bool":
        can_hold = [True, False, "true", "false"]
    at = known.get(shape.consent.at or "")
    yield from warn_of_unfit_consent(shape, can_hold, at["type"] if at else None)


def _wrong_multiple(flag: OptOutFlag, definition: Definition) -> tuple[str, str] | None:
    """Return (message, remedy) where the mapping takes a property with several values for one with a single value."""
    several = definition.get("fieldType") == SEVERAL_VALUES
    if several and not flag.multiple:
        return (
            f"{flag.field} holds several values at once (multiple checkboxes).",
            "Write `multiple: true` under `opt_out` in the mapping, so that the others are kept, or map a yes/no one.",
        )
    if flag.multiple and not several:
        return f"{flag.field} holds one value, not several.", "Leave out `multiple` under `opt_out` in the mapping."
    return None


def _flag_field(definition: Definition) -> FlagField:
    name, kind = definition["name"], definition["type"]
    return FlagField(
        is_boolean=kind == "bool",
        options=_options(definition) or None,
        wrong_boolean=f"{name} is a yes/no property.",
        wrong_text=f"{name} holds text ({kind}), not yes or no.",
        wrong_option=f"{name} has no option {{value}}",
    )


def _options(definition: Definition) -> set[str]:
    return {str(option["value"]) for option in definition.get("options") or ()}


def _check_scope(scope: Group, shape: ObjectShape, known: Mapping[str, Definition]) -> Iterator[Finding]:
    for item in scope:
        name = item["propertyName"]
        if name not in known:
            message = f"the filter names {name}, which {shape.name} lacks{did_you_mean(name, known)}."
            yield problem(f"{shape.name}.{name}", message, "Correct the filter in the mapping.")


def _try_reading(client: HubSpotClient, shape: ObjectShape, scope: Group) -> Finding:
    try:
        count = Searcher(client, shape.name, (ID,), "describe").count([scope] if scope else [])
    except RefusedError as error:
        return _refused(shape.name, error)
    return Finding(Level.OK, shape.name, f"readable; {count} records{' in the filter' if scope else ''}.")


Token = frozenset[str]
"""The scopes of a token."""


def find_scopes(client: HubSpotClient) -> Token | None:
    """Return the scopes of the token; None where HubSpot does not tell them, as of tokens that are no private app's."""
    try:
        with without_patience():
            return client.scopes() or None
    except (RefusedError, StoppedError):
        return None


def _judge_writing(token: Token, name: str) -> Finding:
    scope = object_scope(name, "write")
    if scope in token or _is_legacy(token, name):
        return Finding(Level.OK, name, f"the token may write its records ({scope}).")
    message = f"the token may not write its records: it needs {scope}."
    return problem(name, message, GRANT, AccessError, in_preview=ONLY_READ)


def _check_setup_scope(token: Token, name: str) -> Iterator[Finding]:
    scope = schema_scope(name, "write")
    if scope not in token and not _is_legacy(token, name):
        message = f"`ringfence setup hubspot` would be refused: to create properties the token needs {scope}."
        yield Finding(Level.WARNING, f"{name} properties", message, GRANT)


def _is_legacy(token: Token, name: str) -> bool:
    """Return whether the token has the one scope of old that stood for all about an object, such as ``contacts``."""
    return object_scope(name, "read").split(".")[2] in token


def _try_writing(client: HubSpotClient, shape: ObjectShape) -> Finding:
    """Return whether the token may write, as far as an update of no records tells.

    It is refused for its scope, or else for being empty. Which of the two HubSpot looks at first nobody states; any
    other fault is about this question alone, and says nothing about the records.
    """
    try:
        with without_patience(), suppress(AnswerError, UnreachableError):
            client.update_batch(shape.name, [], "describe")
    except RefusedError as error:
        return _refused(shape.name, error, in_preview=ONLY_READ)

    scope = object_scope(shape.name, "write")
    message = (
        f"whether the token may write its records ({scope}). HubSpot did not refuse an update of no records, which "
        "proves nothing; the first write tells for certain."
    )
    return Finding(Level.UNKNOWN, shape.name, message, f"Look at the token's scopes: {PLACE}.")


def _refused(subject: str, error: RefusedError, *, in_preview: str = "") -> Finding:
    kind = SchemaError if isinstance(error, AnswerError) else type(error)
    remedy = GRANT if kind is AccessError else error.remedy
    return problem(subject, error.message, remedy, error=kind, in_preview=in_preview)
