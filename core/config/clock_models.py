"""The keys of a file of clocks and what each may hold."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..numbers.regions import read_region
from .holidays import Holiday


class ClockKind(StrEnum):
    """What a clock is about."""

    REQUEST = "request"  # within how many days what a person asked for is honoured
    LIST = "list"  # how many days old the copy of a register may be
    CONSENT = "consent"  # for which purposes a number may be called only with consent on record
    WAIVER = "waiver"  # a rule that is not applied yet

    __hash__ = str.__hash__


class Counted(StrEnum):
    """Which days a clock counts."""

    CALENDAR = "calendar"
    BUSINESS = "business"  # Mondays to Fridays without the file's holidays


class Confidence(StrEnum):
    """What the rule was read in."""

    OFFICIAL = "official"  # the law itself, or the authority's own pages
    COMMENTARY = "commentary"  # what law firms and others write about it


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Clock(_Model):
    """One dated rule."""

    name: str = Field(min_length=1)
    kind: ClockKind = Field(
        description="request: honouring what a person asked for; list: the age of a register's copy; "
        "consent: none is called without it; waiver: a rule that does not apply yet."
    )
    what: str = Field(min_length=1, description="The rule in one sentence.")
    days: int | None = Field(None, ge=1, le=3660, description="The last day that is in time; day 0 is when it begins.")
    counted: Counted = Field(Counted.CALENDAR, description="Which days count.")
    since: date | None = Field(None, alias="from", description="The first day on which it holds.")
    until: date | None = Field(None, description="The first day on which it no longer holds.")
    registers: list[str] = Field(default_factory=list, description="Of a list: the formats of its files.")
    purposes: list[str] = Field(default_factory=list, description="Of consent: the purposes it is about; none: all.")
    source: str = Field(min_length=1, description="Where the rule stands.")
    confidence: Confidence = Field(description="Whether the source is the law itself or what is written about it.")
    note: str = ""

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        if self.days is None and self.kind in (ClockKind.REQUEST, ClockKind.LIST):
            raise ValueError(f"a clock of the kind {self.kind.value} has `days`")
        return self

    def holds(self, on: date) -> bool:
        """Return whether the rule holds on the day."""
        return (self.since is None or self.since <= on) and (self.until is None or on < self.until)


class ClockFile(_Model):
    """The clocks of one jurisdiction."""

    jurisdiction: str = Field(description="ISO 3166 code of the country.")
    zone: str = Field("UTC", alias="time_zone", description="Whose days count, as the IANA names it.")
    clocks: list[Clock]
    holidays: list[Holiday] = Field(default_factory=list, description="Days that are no business days.")

    @field_validator("jurisdiction")
    @classmethod
    def _known_country(cls, value: str) -> str:
        if value != "ZZ" and value.upper() != read_region(value):
            raise ValueError(f"{value!r} is no ISO 3166 code of a country")
        return value.upper()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {value!r}") from error
        return value

    @cached_property
    def time_zone(self) -> ZoneInfo:
        """Return the time zone whose days count."""
        return ZoneInfo(self.zone)
