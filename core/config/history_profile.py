"""How a file of calls or messages is read: which column holds what, and what its words mean.

The files in ``mappings/history`` come with ringfence; one of the same name in ``history`` of the user's folder takes
its place. Names of columns and words are compared in lower case and without spaces, hyphens and underscores between
their letters, so that ``Sent Date`` is ``sent_date``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from ..model.blocks import Channel
from ..model.signals import Outcome
from .yaml_model import read_model

RFC2822, UNIX = "rfc2822", "unix"
"""Forms of a moment that no pattern describes: that of e-mail, and seconds or milliseconds since 1970."""

_BETWEEN = str.maketrans("", "", " \u00a0_-\ufeff\u200b")


@lru_cache(maxsize=4096)
def plain_word(text: str) -> str:
    """Return a word or the name of a column in the one form in which they are compared."""
    return text.translate(_BETWEEN).casefold()


def _words(values: object) -> object:
    """Return the words of a list as texts in one form: YAML reads some of them as numbers, or as true and false."""
    return [plain_word(_text(each)) for each in values] if isinstance(values, list | tuple) else values


def _by_word(values: object) -> object:
    return {plain_word(_text(key)): each for key, each in values.items()} if isinstance(values, dict) else values


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


Names = Annotated[tuple[str, ...], BeforeValidator(_words)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DirectionColumn(_Model):
    """Which side a row came from. A row without a word of it went out."""

    columns: Names = Field((), description="Names of the column, the first that is there.")
    inbound: Names = Field(("inbound", "incoming", "in"), description="Words for what came from the other side.")
    outbound: Names = Field(("outbound", "outgoing", "out"), description="Words for what we have sent.")


class ChannelColumn(_Model):
    """The way of contact of a row."""

    columns: Names = Field((), description="Names of the column, the first that is there.")
    values: Annotated[Mapping[str, Channel], BeforeValidator(_by_word)] = Field(
        default_factory=dict, description="Word -> sms, voice or all."
    )
    default: Channel = Field(description="That of rows without a word of it.")


class InboundRows(_Model):
    """What is different in rows that came from the other side."""

    number: Names = Field((), description="Columns of the other side's number, where not those of `number`.")
    text: Names = Field((), description="Columns of what somebody wrote: such rows are messages, and have no outcome.")
    id_form: str = Field("{id}", description="The id, with {id} for that of the file.")
    outcomes: Mapping[Outcome, Outcome] = Field(
        default_factory=dict, description="Outcome -> what it means of a call that came in."
    )


class HistoryProfile(_Model):
    """How one kind of export is read. Columns may have several names each; the first that holds anything counts."""

    source: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40, description="Who tells it: what the same one told is known."
    )
    number: Names = Field(min_length=1, description="Columns of the other side's number.")
    at: Names = Field(min_length=1, description="Columns of the moment.")
    status: Names = Field(min_length=1, description="Columns of the word for what became of it.")
    code: Names = Field((), description="Columns of the vendor's code for what went wrong.")
    id: Names = Field((), description="Columns of the id; a row without one is known by its content.")
    ours: Names = Field((), description="Columns of our own number.")
    record: Names = Field((), description="Columns of the record that it was about, as CRM:OBJECT:ID.")
    id_form: str = Field("{id}", description="The id that counts, of {id}, {status} and {place} (see `each`).")
    formats: tuple[str, ...] = Field((), description="Forms of the moment beside ISO 8601: strptime, rfc2822 or unix.")
    timezone: str | None = Field(None, description="The zone of moments that name none, such as Europe/Berlin.")
    channel: ChannelColumn
    direction: DirectionColumn = DirectionColumn()
    inbound: InboundRows = InboundRows()
    codes: str | None = Field(None, description="The vendor whose words and codes count, as the service reads them.")
    outcomes: Annotated[Mapping[str, Outcome], BeforeValidator(_by_word)] = Field(
        default_factory=dict, description="Word or code -> outcome, before those of `codes`."
    )
    stop: Names = Field((), description="Words or codes by which the recipient refuses messages from now on.")
    unfinished: Names = Field((), description="Words for what has not ended yet, or of which no end is known.")
    plus_left_out: bool = Field(False, description="Numbers are international and may lack their plus.")
    lists: tuple[str, ...] = Field((), description="JSON: names under which an object holds the list.")
    each: str | None = Field(None, description="JSON: the list in a record of which each element is a row.")

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str | None) -> str | None:
        if value is not None and find_zone(value) is None:
            raise ValueError(f"{value!r} is no time zone; write one such as Europe/Berlin")
        return value


def find_zone(name: str) -> ZoneInfo | None:
    """Return the time zone of a name such as ``Europe/Berlin``; None where there is none of it."""
    try:
        return ZoneInfo(name.strip())
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def parse_history_profile(text: str, where: str) -> HistoryProfile:
    """Return the profile in YAML text; ``where`` names its source in errors. Raises MappingError."""
    return read_model(text, HistoryProfile, f"The columns and words of {where}", _known_keys)


def history_profile_schema() -> dict[str, Any]:
    """Return the JSON Schema of such a file, for editors. ``mappings/history/history.schema.json`` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **HistoryProfile.model_json_schema()}


_PARTS: Mapping[str, type[BaseModel]] = {
    "direction": DirectionColumn,
    "channel": ChannelColumn,
    "inbound": InboundRows,
}


def _known_keys(place: Sequence[str]) -> list[str]:
    model = _PARTS.get(place[0], HistoryProfile) if len(place) > 1 else HistoryProfile
    return list(model.model_fields)
