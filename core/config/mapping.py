"""Mapping files: which fields of which object carry what (contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from ..errors import FileError, MappingError
from ..model.shapes import ObjectShape, OptOutFlag, Slot
from ..model.values import Companion
from ..numbers.regions import read_region
from .spelling import name_unknown_key

FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=100)]
ISO_REGION = r"^[A-Za-z]{2}$"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhoneSlot(_Model):
    """Options of one phone field."""

    normalize: bool = Field(False, description="Rewrite the phone field itself to E.164 where the number is certain.")
    companions: dict[Companion, FieldName] = Field(
        default_factory=dict, description="Companion fields that do not follow the RF_ pattern."
    )


class OptOutField(_Model):
    """The field that says that nobody may call or text this person."""

    field: FieldName
    true_values: list[bool | str] = Field(
        [True], min_length=1, description="Values that mean opted out; the first one is written to raise the flag."
    )


class Region(_Model):
    """Where the region of a national number comes from."""

    field: FieldName | None = Field(None, description="Country field: ISO code or English name.")
    default: str | None = Field(None, pattern=ISO_REGION, description="ISO 3166 code where the field is empty.")

    @field_validator("default")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and (value := value.upper()) != read_region(value):
            raise ValueError("it is no ISO 3166 region code")
        return value


class FieldRef(_Model):
    """A field that is read along."""

    field: FieldName


class ObjectMapping(_Model):
    """One CRM object."""

    phones: dict[FieldName, PhoneSlot] = Field(min_length=1, description="Phone fields by name.")
    opt_out: OptOutField | None = Field(None, description="Without it opt-outs reach the companions only.")
    region: Region = Field(default_factory=lambda: Region(field=None, default=None))
    channel: FieldRef | None = Field(None, description="Where the record came from.")
    tier: FieldRef | None = Field(None, description="Customer tier.")
    filter: str | list[dict[str, Any]] | None = Field(
        None,
        description="Native: a SOQL condition, or a list of HubSpot filters. Never limits the reading of opt-outs.",
    )
    spread_limit: int = Field(25, ge=1, description="A number held by more records is a switchboard: no flags.")

    @field_validator("phones", mode="before")
    @classmethod
    def _bare_slots(cls, value: Any) -> Any:
        # `Phone:` with nothing behind it is YAML for None and plainly means the defaults.
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value


class CrmMapping(_Model):
    """A whole mapping file."""

    crm: str
    objects: dict[FieldName, ObjectMapping] = Field(min_length=1)


def read_mapping(path: Path) -> CrmMapping:
    """Return the mapping in a YAML file.

    Raises FileError when the file cannot be read, MappingError that names the place and what was probably meant.
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
        problems = "; ".join(_explain(item) for item in error.errors())
        raise MappingError(f"The mapping {where} is wrong: {problems}.", "Correct the file and run again.") from error


def mapping_schema() -> dict[str, Any]:
    """Return the JSON Schema of a mapping file, for editors. ``mappings/mapping.schema.json`` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **CrmMapping.model_json_schema()}


def resolve(
    mapping: CrmMapping, companion_name: Callable[[str, Companion], str], default_region: str | None = None
) -> dict[str, ObjectShape]:
    """Return the shape of each mapped object, with every companion's field name.

    ``default_region`` serves objects whose mapping names none. Raises MappingError when two slots share a field.
    """
    return {name: _shape(name, spec, companion_name, default_region) for name, spec in mapping.objects.items()}


def _shape(
    name: str, spec: ObjectMapping, companion_name: Callable[[str, Companion], str], default_region: str | None
) -> ObjectShape:
    slots = tuple(
        Slot(
            field=phone,
            companions={c: options.companions.get(c) or companion_name(phone, c) for c in Companion},
            normalize=options.normalize,
        )
        for phone, options in spec.phones.items()
    )
    shape = ObjectShape(
        name=name,
        slots=slots,
        opt_out=OptOutFlag(spec.opt_out.field, tuple(spec.opt_out.true_values)) if spec.opt_out else None,
        region_field=spec.region.field,
        default_region=spec.region.default or default_region,
        channel_field=spec.channel.field if spec.channel else None,
        tier_field=spec.tier.field if spec.tier else None,
        filter=spec.filter,
        spread_limit=spec.spread_limit,
    )
    _refuse_shared_fields(shape)
    return shape


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


_KEYS: Mapping[str, type[BaseModel]] = {
    "phones": PhoneSlot,
    "opt_out": OptOutField,
    "region": Region,
    "channel": FieldRef,
    "tier": FieldRef,
}


_WANTED = {
    "missing": "it is missing",
    "too_short": "it must not be empty",
    "string_pattern_mismatch": "a field name has letters, digits and _ only, and begins with a letter",
    "bool_type": "true or false is wanted",
    "bool_parsing": "true or false is wanted",
    "dict_type": "a table of keys is wanted, such as {field: Name}",
    "model_type": "a table of keys is wanted, such as {field: Name}",
}
"""What is said of the commonest slips; the words of pydantic serve for the rest."""


def _explain(item: Any) -> str:
    place = [str(part) for part in item["loc"] if part != "[key]"]
    if item["type"] == "extra_forbidden" or (item["type"] == "enum" and item["loc"][-1] == "[key]"):
        return name_unknown_key(place, _known_keys(place[:-1]))
    if place[-2:] == ["region", "default"]:
        return f"{'.'.join(place)}: {item['input']!r} is no ISO 3166 region code such as US"
    words = _WANTED.get(item["type"], item["msg"])
    return f"{'.'.join(place) or 'the file'}: {words}"


def _known_keys(place: list[str]) -> Iterable[str]:
    if not place:
        return CrmMapping.model_fields
    if place[0] == "objects" and len(place) == 2:
        return ObjectMapping.model_fields
    if place[-1] == "companions":
        return [companion.value for companion in Companion]
    model = _KEYS.get(place[2]) if len(place) > 2 else None
    return model.model_fields if model else ()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
