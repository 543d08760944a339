"""Mapping files, read and resolved: which fields of which object hold what (docs/contract.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ..errors import FileError, MappingError
from ..model.consent import ConsentFields
from ..model.shapes import ObjectShape, OptOutFlag, OptOutPolicy, Slot
from ..model.values import Companion
from .mapping_models import ConsentField, CrmMapping, ObjectMapping, OptOutField, PhoneSlot
from .mapping_problems import explain_problem

__all__ = ["CrmMapping", "mapping_schema", "parse_mapping", "read_mapping", "resolve"]

CompanionNames = Callable[[str, Companion], str]
"""A CRM's pattern for companion fields: from a phone field and a companion to the companion's field name."""


def read_mapping(path: Path) -> CrmMapping:
    """Return the mapping in a YAML file.

    Raises FileError when the file cannot be read, MappingError, which names the place and the key probably meant, when
    its content is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(
            f"The mapping {path} cannot be read: {error.strerror}.", "Check the path and its rights."
        ) from error
    except UnicodeDecodeError as error:
        raise MappingError(f"The mapping {path} is not UTF-8 text.", "Save it as UTF-8.") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, where: str) -> CrmMapping:
    """Return the mapping in YAML text; ``where`` names its source in errors. Raises MappingError."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MappingError(f"The mapping {where} is not YAML: {_one_line(error)}.", "Check its indentation.") from error

    if not isinstance(content, dict):
        raise MappingError(
            f"The mapping {where} is empty or not a table of keys.", "It starts with `crm:` and `objects:`."
        )

    try:
        return CrmMapping.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(explain_problem(item) for item in error.errors())
        raise MappingError(f"The mapping {where} is wrong: {problems}.", "Correct the file and run again.") from error


def mapping_schema() -> dict[str, Any]:
    """Return the JSON Schema of a mapping file, for editors. ``mappings/mapping.schema.json`` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **CrmMapping.model_json_schema()}


def resolve(
    mapping: CrmMapping, companion_name: CompanionNames, default_region: str | None = None
) -> dict[str, ObjectShape]:
    """Return the shape of each mapped object, with every companion's field name.

    ``default_region`` serves objects whose mapping names none. Raises MappingError when two slots share a field.
    """
    return {name: _shape(name, spec, companion_name, default_region) for name, spec in mapping.objects.items()}


def _shape(name: str, spec: ObjectMapping, companion_name: CompanionNames, default_region: str | None) -> ObjectShape:
    shape = ObjectShape(
        name=name,
        slots=tuple(_slot(phone, options, companion_name) for phone, options in spec.phones.items()),
        opt_outs=tuple(map(_flag, spec.opt_out)),
        region_field=spec.region.field,
        default_region=spec.region.default or default_region,
        channel_field=spec.channel.field if spec.channel else None,
        tier_field=spec.tier.field if spec.tier else None,
        email_field=spec.email.field if spec.email else None,
        email_opt_out_field=spec.email.opt_out if spec.email else None,
        consent=_consent(spec.consent) if spec.consent else None,
        filter=spec.filter,
        spread_limit=spec.spread_limit,
        spread=spec.spread,
        ratchet=spec.opt_out_policy is OptOutPolicy.RATCHET,
    )

    _refuse_shared_fields(shape)
    _refuse_written_consent(shape)
    _refuse_shared_flags(shape)
    return shape


def _flag(options: OptOutField) -> OptOutFlag:
    return OptOutFlag(options.field, tuple(options.true_values), options.multiple, options.channel)


def _consent(options: ConsentField) -> ConsentFields:
    return ConsentFields(
        options.field, tuple(options.given), tuple(options.withdrawn), options.at, tuple(options.purposes)
    )


def _slot(phone: str, options: PhoneSlot, companion_name: CompanionNames) -> Slot:
    companions = {name: options.companions.get(name) or companion_name(phone, name) for name in Companion}
    return Slot(field=phone, companions=companions, normalize=options.normalize)


def _refuse_shared_fields(shape: ObjectShape) -> None:
    seen: dict[str, str] = {name.casefold(): "an input" for name in shape.input_fields()}

    for slot in shape.slots:
        for companion, name in slot.companions.items():
            use = f"{slot.field}.{companion}"
            if (other := seen.get(name.casefold())) is not None:
                raise MappingError(
                    f"The mapping of {shape.name} uses the field {name} twice: as {other} and as {use}.",
                    "Give each companion a field of its own.",
                )
            seen[name.casefold()] = use


def _refuse_written_consent(shape: ObjectShape) -> None:
    written = {name.casefold() for name in shape.owned_fields()}
    for name in shape.consent.names() if shape.consent else ():
        if name.casefold() in written:
            raise MappingError(
                f"The mapping of {shape.name} reads consent from {name}, which ringfence writes to.",
                "Name the field in which people record consent.",
            )


def _refuse_shared_flags(shape: ObjectShape) -> None:
    """Raise MappingError where two opt-outs name one field, or one is a field that holds something else."""
    others = {slot.field for slot in shape.slots} | {shape.region_field, shape.channel_field, shape.tier_field}
    seen = {name.casefold() for name in others if name}

    for name in shape.flag_fields():
        if name.casefold() in seen:
            raise MappingError(
                f"The mapping of {shape.name} uses the field {name} twice, once as an opt-out.",
                "Give each opt-out a field of its own; one that means every way of contact has `channel: all`.",
            )
        seen.add(name.casefold())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
