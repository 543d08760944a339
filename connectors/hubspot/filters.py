"""Filters of HubSpot's search: the mapping's own, checked when it is read, and those of each read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ringfence.core.errors import MappingError
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import Status

from .fields import ID, companions_of, modified_field, to_ms, write_value

Filter = dict[str, Any]
Group = tuple[Filter, ...]

MAX_GROUPS = 5
MAX_PER_GROUP = 6
MAX_FILTERS = 18
MAX_BODY = 3_000
"""HubSpot's limits of one search: groups (OR), filters in a group (AND), filters in all, characters."""

MAX_MAPPED = 3
"""Filters that a mapping may bring: the search for due records needs three more in the same group."""


class MappedFilter(BaseModel):
    """One HubSpot filter of a mapping; all filters of an object must hold."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    property_name: str = Field(alias="propertyName")
    operator: Literal[
        "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN",
        "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
    ]  # fmt: skip
    value: str | None = None
    high_value: str | None = Field(None, alias="highValue")
    values: list[str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _yaml_flags(cls, content: Any) -> Any:
        if isinstance(content, dict):
            return {key: write_value(item) if isinstance(item, bool) else item for key, item in content.items()}
        return content

    @model_validator(mode="after")
    def _complete(self) -> MappedFilter:
        needed = {"value"} if not self.operator.endswith("HAS_PROPERTY") else set()
        if self.operator in ("IN", "NOT_IN"):
            needed = {"values"}

        if self.operator == "BETWEEN":
            needed = {"value", "highValue"}

        given = set(self.model_dump(by_alias=True, exclude_none=True)) - {"propertyName", "operator"}
        if needed != given:
            raise ValueError(f"{self.operator} takes {' and '.join(sorted(needed)) or 'no value'}")

        return self


def read_filter(shape: ObjectShape) -> Group:
    """Return the mapping's filter of an object, empty where it has none. Raises MappingError."""
    if shape.filter is None:
        return ()

    where = f"The filter of {shape.name} in the mapping"
    if not isinstance(shape.filter, list):
        raise MappingError(f"{where} is text.", "HubSpot takes a list of {propertyName, operator, value}.")
    if len(shape.filter) > MAX_MAPPED:
        raise MappingError(f"{where} has {len(shape.filter)} conditions.", f"HubSpot leaves room for {MAX_MAPPED}.")

    try:
        filters = [MappedFilter.model_validate(item) for item in shape.filter]
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise MappingError(
            f"{where} is wrong: {key + ': ' if key else ''}{first['msg']}.", "Correct the mapping."
        ) from error

    return tuple(item.model_dump(by_alias=True, exclude_none=True) for item in filters)


def after_id(last: str) -> Filter:
    """Return the filter for records beyond the last id that was read, which pages by id."""
    return {"propertyName": ID, "operator": "GT", "value": last}


def within_ids(ids: Sequence[str]) -> Filter:
    """Return the filter for exactly these records."""
    return {"propertyName": ID, "operator": "IN", "values": list(ids)}


def in_window(object_name: str, start_ms: int, end_ms: int) -> Filter:
    """Return the filter for records modified in the closed window."""
    return {
        "propertyName": modified_field(object_name),
        "operator": "BETWEEN",
        "value": str(start_ms),
        "highValue": str(end_ms),
    }


def modified_since(object_name: str, start_ms: int) -> Filter:
    """Return the filter for records modified at or after the moment."""
    return {"propertyName": modified_field(object_name), "operator": "GTE", "value": str(start_ms)}


def modified_until(object_name: str, end_ms: int) -> Filter:
    """Return the filter for records modified at or before the moment."""
    return {"propertyName": modified_field(object_name), "operator": "LTE", "value": str(end_ms)}


_UNTOLD: Mapping[str, str] = {}


def flag_groups(shape: ObjectShape, kinds: Mapping[str, str] = _UNTOLD) -> list[Group]:
    """Return the groups for the records that tell of an opt-out; empty for an object without a flag or consent.

    ``kinds`` is property name -> HubSpot type, as far as it is known.

    Of a flag that may hold several values every record with any value is found: how a search takes such values apart is
    not told.
    """
    groups: list[Group] = []
    for flag in shape.heard:
        if flag.multiple:
            groups.append(({"propertyName": flag.field, "operator": "HAS_PROPERTY"},))
        elif shape.consent is not None and flag.field == shape.consent.field:
            groups.append((_withdrawn(flag, kinds.get(flag.field, "")),))
        else:
            groups += [(_equals(flag.field, write_value(each)),) for each in flag.true_values]
    return groups


def _withdrawn(flag: OptOutFlag, kind: str) -> Filter:
    """Return the filter for withdrawn consent; ``kind`` is the property's type. Texts are asked for in either case."""
    if kind == "bool":
        told = [write_value(each) for each in flag.true_values if isinstance(each, bool)]
    else:
        texts = [each for each in flag.true_values if isinstance(each, str)]
        told = [*texts, *map(str.lower, texts), *map(str.capitalize, texts)]
    return {"propertyName": flag.field, "operator": "IN", "values": list(dict.fromkeys(told)) or ["false"]}


def silenced_groups(slot: Slot) -> list[Group]:
    """Return the group for the records whose slot says ``do_not_contact``, whether their flag is up or down.

    None where the portal lacks the property, which a dry run before the set-up meets.
    """
    status = slot.companions.get(Companion.STATUS)
    return [] if status is None else [(_equals(status, Status.DO_NOT_CONTACT.value),)]


def screened_groups(shape: ObjectShape, since_ms: int) -> list[Group]:
    """Return the groups for records with a slot screened at or after the moment."""
    names = companions_of(shape, Companion.LAST_SCREENED)
    return [({"propertyName": name, "operator": "GTE", "value": str(since_ms)},) for name in names]


def not_screened_groups(slots: Iterable[Slot], since_ms: int) -> list[Group]:
    """Return the groups for the records of which none of the slots was screened at or after the moment.

    HubSpot's comparisons leave out an empty property, so each slot doubles the number of groups.
    """
    groups: list[Group] = [()]
    for slot in slots:
        if (last := slot.companions.get(Companion.LAST_SCREENED)) is None:
            continue  # without the property none was ever screened
        older = {"propertyName": last, "operator": "LT", "value": str(since_ms)}
        never = {"propertyName": last, "operator": "NOT_HAS_PROPERTY"}
        groups = [(*group, condition) for group in groups for condition in (older, never)]
    return groups


def due_groups(shape: ObjectShape, before: datetime, scope: Group) -> list[Group]:
    """Return the groups for records in scope with a filled slot never screened or last screened before the moment."""
    groups: list[Group] = []
    for slot in shape.slots:
        filled = {"propertyName": slot.field, "operator": "HAS_PROPERTY"}
        if (last := slot.companions.get(Companion.LAST_SCREENED)) is None:
            groups.append((filled, *scope))
            continue
        old = {"propertyName": last, "operator": "LT", "value": str(to_ms(before))}
        never = {"propertyName": last, "operator": "NOT_HAS_PROPERTY"}
        groups += [(old, filled, *scope), (never, filled, *scope)]

    return groups


def pack_groups(groups: Sequence[Group], properties: Sequence[str]) -> list[list[Group]]:
    """Return the groups divided over as few searches as HubSpot's limits allow, each with room for the id filter."""
    room = MAX_BODY - len(json.dumps(list(properties))) - 200
    packed: list[list[Group]] = [[]]
    for group in groups:
        if packed[-1] and not _fits([*packed[-1], group], room):
            packed.append([])
        packed[-1].append(group)
    return packed


def _fits(groups: list[Group], room: int) -> bool:
    keyed = [(*group, after_id("9" * 16)) for group in groups]
    return (
        len(keyed) <= MAX_GROUPS
        and sum(len(group) for group in keyed) <= MAX_FILTERS
        and len(json.dumps(keyed)) + 16 * len(keyed) <= room
    )


def _equals(name: str, value: str) -> Filter:
    return {"propertyName": name, "operator": "EQ", "value": value}
