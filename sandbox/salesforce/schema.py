"""Objects and fields of the org: the standard ones of catalog.json and what `setup` adds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

FieldType = Literal[
    "id",
    "string",
    "textarea",
    "phone",
    "email",
    "url",
    "picklist",
    "multipicklist",
    "boolean",
    "date",
    "datetime",
    "int",
    "reference",
]
TEXT_TYPES = frozenset({"string", "textarea", "phone", "email", "url", "picklist", "multipicklist"})


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field as describe knows it; `compound` is the field it is a part of.

    `targets` is what a reference names, `relationship` how a query reaches it, `children` how it reaches back. An
    `external` one is a key of other systems, by which rows can be addressed.
    """

    name: str
    type: FieldType
    label: str
    length: int = 0
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    filterable: bool = True
    permissionable: bool = True
    defaulted: bool = False
    name_field: bool = False
    picklist: tuple[str, ...] = ()
    picklist_labels: tuple[str, ...] = ()
    restricted: bool = False
    targets: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    compound: str | None = None
    custom: bool = False
    external: bool = False
    help: str | None = None

    @property
    def required(self) -> bool:
        """Whether a new row must bring a value."""
        return self.createable and not self.nillable and not self.defaulted


@dataclass(slots=True)
class ObjectSpec:
    """One object: its describe facts and its fields in describe order, found without regard to case.

    `plain` objects have no owner and cannot be deleted softly; `fixed` ones take no writes over REST.
    """

    name: str
    label: str
    plural: str
    prefix: str
    plain: bool = False
    fixed: bool = False
    fields: dict[str, FieldSpec] = field(default_factory=dict)
    _by_lower: dict[str, FieldSpec] = field(default_factory=dict)

    def add(self, spec: FieldSpec) -> None:
        """Add a field at the end of the describe order."""
        self.fields[spec.name] = spec
        self._by_lower[spec.name.lower()] = spec

    def remove(self, name: str) -> None:
        """Take a field away, by its exact name."""
        del self.fields[name]
        del self._by_lower[name.lower()]

    def find(self, name: str) -> FieldSpec | None:
        """Return the field of that name in any case, or None."""
        return self._by_lower.get(name.lower())


@cache
def _catalog() -> Any:
    return json.loads((files(__package__) / "catalog.json").read_text("utf-8"))


def standard_objects(kind: Literal["objects", "tooling"]) -> Iterator[ObjectSpec]:
    """Yield fresh specs of the standard objects: of the data API (`objects`) or of the Tooling API (`tooling`)."""
    for name, entry in _catalog()[kind].items():
        yield _object(name, entry)


def custom_object(name: str, label: str, fields: Mapping[str, str]) -> ObjectSpec:
    """Return the spec of an object of the org's own; `fields` are lines as in catalog.json, beside its Name."""
    named = {"Name": f"string 80 req fixed name | {label} Name", **fields}
    return _object(name, {"label": label, "plural": f"{label}s", "prefix": "a00", "fields": named})


def _object(name: str, entry: Mapping[str, Any]) -> ObjectSpec:
    catalog = _catalog()
    plain = entry.get("plain", False)
    spec = ObjectSpec(name, entry["label"], entry["plural"], entry["prefix"], plain, entry.get("fixed", False))
    parts = ["head", "record", None, "tail", "stamps"] if not plain else ["head", None, "stamps"]
    for part in parts:
        _add_all(spec, entry["fields"] if part is None else catalog[part])
    return spec


def _add_all(spec: ObjectSpec, lines: Mapping[str, str]) -> None:
    for name, line in lines.items():
        if name == "IsDeleted" and spec.plain:
            continue
        spec.add(_parse(spec, name, line))


def _parse(spec: ObjectSpec, name: str, line: str) -> FieldSpec:
    facts, _, label = line.partition(" | ")
    kind, *flags = facts.split()
    options = dict(flag.split(":", 1) for flag in flags if ":" in flag)
    target, _, relationship = options.get("ref", "").partition(":")

    if name == "MasterRecordId":
        target, relationship = spec.name, "MasterRecord"

    return FieldSpec(
        name=name,
        type=kind,  # type: ignore[arg-type]  # the words of catalog.json are checked by a test
        label=label or f"{spec.label} ID",
        length=next((int(flag) for flag in flags if flag.isdigit()), 18 if kind == "reference" else 0),
        createable="ro" not in flags,
        updateable="ro" not in flags and "noupdate" not in flags,
        nillable="req" not in flags,
        filterable="nofilter" not in flags,
        permissionable="fixed" not in flags,
        defaulted="def" in flags,
        name_field="name" in flags,
        picklist=tuple(_catalog()["picklists"][options["pick"]]) if "pick" in options else (),
        restricted="restricted" in flags,
        targets=(target,) if target else (),
        relationship=relationship or None,
        children=options.get("children"),
        compound=options.get("in"),
    )
