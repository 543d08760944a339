"""What is wrong with a mapping file, in words that name the place and the key that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from ..model.values import Companion
from .mapping_models import ConsentField, CrmMapping, FieldRef, ObjectMapping, OptOutField, PhoneSlot, Region
from .spelling import name_unknown_key

_MODELS: Mapping[str, type[BaseModel]] = {
    "phones": PhoneSlot,
    "opt_out": OptOutField,
    "region": Region,
    "channel": FieldRef,
    "tier": FieldRef,
    "consent": ConsentField,
}


_WORDS = {
    "missing": "it is missing",
    "too_short": "it must not be empty",
    "string_pattern_mismatch": "a field name has letters, digits and _ only, and begins with a letter",
    "bool_type": "true or false is wanted",
    "bool_parsing": "true or false is wanted",
    "dict_type": "a table of keys is wanted, such as {field: Name}",
    "model_type": "a table of keys is wanted, such as {field: Name}",
}
"""Our words for the commonest kinds of pydantic's errors; the others keep pydantic's."""


def explain_problem(item: Any) -> str:
    """Return one error of pydantic as words for the user: the place in the file, and what is wrong there."""
    place = _place(item["loc"])
    if item["type"] == "extra_forbidden" or (item["type"] == "enum" and item["loc"][-1] == "[key]"):
        return name_unknown_key(place, _known_keys(place[:-1]))
    if place[-2:] == ["region", "default"]:
        return f"{'.'.join(place)}: {item['input']!r} is no ISO 3166 region code such as US"

    words = _WORDS.get(item["type"], item["msg"].removeprefix("Value error, "))
    return f"{'.'.join(place) or 'the file'}: {words}"


def _place(parts: Iterable[str | int]) -> list[str]:
    """Return the place as keys; an entry of a list by its number from 1, but for the first, which may be the only."""
    return [str(part + 1) if isinstance(part, int) else part for part in parts if part not in ("[key]", 0)]


def _known_keys(place: list[str]) -> Iterable[str]:
    """Return the keys that a mapping may have at a place; none where they are not known."""
    if not place:
        return CrmMapping.model_fields
    if place[0] == "objects" and len(place) == 2:
        return ObjectMapping.model_fields
    if place[-1] == "companions":
        return [companion.value for companion in Companion]
    model = _MODELS.get(place[2]) if len(place) > 2 else None
    return model.model_fields if model else ()
