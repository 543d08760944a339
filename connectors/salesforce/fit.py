"""Whether mapped fields fit what they are mapped to: their types, and whether a query may ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.core.errors import MappingError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import Finding, Level

from ..http.preflight import problem
from .schema import Described
from .soql import MULTIPICKLIST

TEXTS = frozenset({"string", "textarea", "phone", "picklist", "url", "email", "encryptedstring", "combobox"})
"""Types whose values are one text each."""

FLAGS = frozenset({"boolean", MULTIPICKLIST, *TEXTS})
"""Types that an opt-out field may have."""

_ENCRYPTED = "it may be encrypted"


def check_types(shape: ObjectShape, known: Mapping[str, Described]) -> Iterator[Finding]:
    """Yield a problem for each phone field, region field and opt-out field whose type does not fit; the rest is silent.

    ``known`` holds the described fields by name; those that are missing are told elsewhere.
    """
    asked = [(slot.field, "a phone number", TEXTS) for slot in shape.slots]
    if shape.region_field:
        asked.append((shape.region_field, "a country", TEXTS))
    asked += [(name, "an opt-out", FLAGS) for name in shape.flag_fields()]

    for name, meaning, types in asked:
        kind = known[name]["type"] if name in known else None
        if kind is not None and kind not in types:
            message = f"{name} is of the type {kind}, which cannot be read as {meaning}."
            remedy = f"Map a field of another type: {_named(types)}."
            if parts := _country_parts(name, known):
                message += " It is made of several fields."
                remedy = f"Map the one that holds the country: {' or '.join(parts)}."
            yield problem(f"{shape.name}.{name}", message, remedy, MappingError)

    yield from _check_members(shape, known)


def _country_parts(name: str, known: Mapping[str, Described]) -> list[str]:
    """Return the fields that hold the country of a compound address; none for any other field."""
    parts = (part for part, field in known.items() if field.get("compoundFieldName") == name)
    return [part for part in parts if "country" in part.lower()]


def _named(types: frozenset[str]) -> str:
    return "a checkbox, a picklist or text" if "boolean" in types else "a phone field, a picklist or text"


def _check_members(shape: ObjectShape, known: Mapping[str, Described]) -> Iterator[Finding]:
    """Yield a problem where the mapping and the org disagree on whether an opt-out field holds several values."""
    for flag in shape.opt_outs:
        if flag.field not in known:
            continue
        kind, subject = known[flag.field]["type"], f"{shape.name}.{flag.field}"
        if kind == MULTIPICKLIST and not flag.multiple:
            message = f"{flag.field} holds several values at once; raising the flag would overwrite the others."
            yield problem(subject, message, "Write `multiple: true` under `opt_out` in the mapping.", MappingError)
        elif flag.multiple and kind not in (MULTIPICKLIST, "string", "textarea"):
            message = f"{flag.field} is of the type {kind} and holds one value."
            yield problem(subject, message, "Leave `multiple` out of the mapping.", MappingError)


def check_conditions(shape: ObjectShape, known: Mapping[str, Described]) -> Iterator[Finding]:
    """Yield a warning, with what it costs, for each phone field and opt-out field that no query may ask for."""
    for slot in shape.slots:
        if _is_hidden(known, slot.field):
            yield Finding(
                Level.WARNING,
                f"{shape.name}.{slot.field}",
                f"{slot.field} cannot be asked for in a query ({_ENCRYPTED}): each sync reads all records whose"
                f" {slot.field} was never screened, empty ones too.",
                f"It costs a call for each 2,000 of them. A `filter` on {shape.name} makes them fewer.",
            )

    for name in shape.flag_fields():
        if _is_hidden(known, name):
            yield Finding(
                Level.WARNING,
                f"{shape.name}.{name}",
                f"{name} cannot be asked for in a query ({_ENCRYPTED}): for its opt-outs a full read reads every"
                f" record once more, and each sync every record that changed.",
                "It costs a call for each 2,000 of them. Map a checkbox to spare them.",
            )


def _is_hidden(known: Mapping[str, Described], name: str) -> bool:
    return name in known and not known[name].get("filterable", True)
