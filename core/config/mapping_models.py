"""The keys of a mapping file and what each may hold (docs/contract.md, section 2)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.config import JsonDict

from ..model.blocks import Channel
from ..model.shapes import OptOutPolicy, Spread
from ..model.values import Companion
from ..numbers.regions import read_region

FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=100)]
ISO_REGION = r"^[A-Za-z]{2}$"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhoneSlot(_Model):
    """Options of one phone field."""

    normalize: bool = Field(
        False, description="Rewrite the phone field itself to E.164 where its whole text is one certain number."
    )
    companions: dict[Companion, FieldName] = Field(
        default_factory=dict, description="Companion fields that do not follow the RF_ pattern."
    )


class OptOutField(_Model):
    """A field that says that nobody may call or text this person."""

    field: FieldName
    true_values: list[bool | str] = Field(
        [True], min_length=1, description="Values that mean opted out; the first one is written to raise the flag."
    )
    multiple: bool = Field(
        False,
        description="The field holds several values at once: the one that opts out is added, and the others stay.",
    )
    channel: Channel = Field(
        Channel.ALL, description="What the flag forbids: calls (voice), messages (sms), or every way of contact."
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


class EmailField(_Model):
    """The e-mail address of a record, and the field that says that nobody may write there; both are only read."""

    field: FieldName
    opt_out: FieldName = Field(description="A field that is true where the person has opted out of e-mail.")


class ConsentField(_Model):
    """The field that says whether the person consents to being called, read along and never written."""

    field: FieldName
    given: list[bool | str] = Field(min_length=1, description="Values that mean that consent was given.")
    withdrawn: list[bool | str] = Field(
        min_length=1, description="Values that mean that it was withdrawn: an opt-out. Any other value is neither."
    )
    at: FieldName | None = Field(None, description="The date or moment of giving or withdrawing.")
    purposes: list[Annotated[str, StringConstraints(min_length=1)]] = Field(
        default_factory=list, description="What it was given for, such as marketing; none: everything."
    )

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if shared := {str(each).casefold() for each in self.given} & {str(each).casefold() for each in self.withdrawn}:
            raise ValueError(f"{sorted(shared)[0]!r} cannot be both `given` and `withdrawn`")
        return self


def _allow_one(schema: JsonDict) -> None:
    """Let the schema take what :meth:`ObjectMapping._as_list` does: a list, one entry, or nothing."""
    several = {key: schema.pop(key) for key in ("items", "type")}
    schema["anyOf"] = [several["items"], several | {"minItems": 1}, {"type": "null"}]


class ObjectMapping(_Model):
    """One CRM object."""

    phones: dict[FieldName, PhoneSlot] = Field(min_length=1, description="Phone fields by name.")
    opt_out: tuple[OptOutField, ...] = Field(
        (),
        description="One opt-out field, or a list of them. Without any, opt-outs reach the companions only.",
        json_schema_extra=_allow_one,
    )
    opt_out_policy: OptOutPolicy = Field(
        OptOutPolicy.FOLLOW,
        description="What clearing a flag by hand does: it ends the opt-out, or waits for a review (ratchet).",
    )
    region: Region = Field(default_factory=lambda: Region(field=None, default=None))
    channel: FieldRef | None = Field(None, description="Where the record came from.")
    tier: FieldRef | None = Field(None, description="Customer tier.")
    email: EmailField | None = Field(None, description="E-mail, as another way to ask a person who fell silent.")
    consent: ConsentField | None = Field(None, description="Consent to being called; a withdrawal is an opt-out.")
    filter: str | list[dict[str, Any]] | None = Field(
        None,
        description="Native: a SOQL condition, or a list of HubSpot filters. Never limits the reading of opt-outs.",
    )
    spread: Spread = Field(
        Spread.FLAGS,
        description="How an opt-out reaches other holders of the number: by their flags, or on their slots alone.",
    )
    spread_limit: int = Field(25, ge=1, description="A number held by more records is a switchboard: no flags.")

    @field_validator("opt_out", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        if value is None:
            return ()
        if value == []:
            raise ValueError("a list of opt-out fields must not be empty; leave the key out where there is none")
        return value if isinstance(value, list | tuple) else [value]

    @field_validator("phones", mode="before")
    @classmethod
    def _bare_slots(cls, value: Any) -> Any:
        # `Phone:` with nothing behind it is YAML for None and plainly means the defaults.
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value


class CrmMapping(_Model):
    """A whole mapping file."""

    crm: str
    objects: dict[FieldName, ObjectMapping] = Field(min_length=1)
