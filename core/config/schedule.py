"""The keys of a schedule file and what each may hold (docs/contract.md, section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from .spelling import did_you_mean

DURATION = r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
WINDOW = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"

LONGEST = timedelta(days=366)
"""How long a duration may be: what comes less than once a year is no schedule."""

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_CRON_FIELDS = 5


class Overlap(StrEnum):
    """What becomes of a tick while the job's previous one is still waiting or running."""

    SKIP = "skip"  # it is left out
    QUEUE = "queue"  # it waits for the previous one; of several, one waits


class Missed(StrEnum):
    """What becomes of ticks that fell into a time in which no scheduler ran."""

    ONCE = "once"  # one start stands for all of them
    SKIP = "skip"  # they are left out


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the day by the wall clock of the schedule's time zone; ``end`` is outside, and may be before ``start``.

    A window whose end is not behind its start goes over midnight.
    """

    start: time
    end: time

    def holds(self, moment: time) -> bool:
        """Return whether the time of day lies within."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def read_duration(value: Any) -> timedelta:
    """Return a text such as ``90s``, ``15m`` or ``1h30m`` as a duration. Raises ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not value or not re.fullmatch(DURATION, value, re.ASCII):
        raise ValueError(f"{value!r} is no duration: a number with its unit is wanted, such as 90s, 15m, 2h or 1d")

    parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([dhms])", value)}
    if any(number > LONGEST.total_seconds() for number in parts.values()) or timedelta(**parts) > LONGEST:
        raise ValueError(f"{value!r} is longer than a year")
    return timedelta(**parts)


def name_duration(duration: timedelta) -> str:
    """Return a duration as :func:`read_duration` reads it, such as ``1h30m``."""
    seconds = int(duration.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _read_window(value: Any) -> Window:
    if isinstance(value, Window):
        return value
    if not isinstance(value, str) or not re.fullmatch(WINDOW, value, re.ASCII):
        raise ValueError(f'{value!r} is no run window: two times of day are wanted, such as "01:00-06:00"')

    start, end = (time.fromisoformat("00:00" if part == "24:00" else part) for part in value.split("-"))
    if start == end and value != "00:00-24:00":
        raise ValueError(f"{value!r} begins and ends at the same time; leave it out for the whole day")
    return Window(start, end)


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(value, available_timezones())
        raise ValueError(
            f"there is no time zone {value!r}{hint}; names are those of IANA, such as Europe/Berlin"
        ) from None
    return value


def _check_cron(value: str) -> str:
    fields = value.split()
    if len(fields) != _CRON_FIELDS:
        raise ValueError(
            f"{value!r} has {len(fields)} fields; a cron expression has five: minute, hour, day, month, day of week"
        )
    try:
        CronSim(value, datetime(2028, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{value!r} is no cron expression: {str(error)[:1].lower()}{str(error)[1:]}") from None
    return value


Duration = Annotated[
    timedelta, BeforeValidator(read_duration), WithJsonSchema({"type": "string", "pattern": DURATION, "minLength": 2})
]


class ScheduledJob(BaseModel):
    """One thing that is done again and again: what, when, and what if it cannot be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", max_length=100)] = Field(
        description="What it is called in logs and lists; no two jobs share one."
    )
    run: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = Field(
        description="A command line without `ringfence`, such as `sync salesforce` or `sync --all`."
    )
    cron: Annotated[str, AfterValidator(_check_cron)] | None = Field(
        None, description="Minute, hour, day, month and day of week, by the wall clock of the time zone."
    )
    every: Duration | None = Field(None, description="An interval, counted from midnight UTC, such as 15m.")
    window: (
        Annotated[Window, BeforeValidator(_read_window), WithJsonSchema({"type": "string", "pattern": WINDOW})] | None
    ) = Field(None, description="Times of day between which it may start; what still runs at the end is asked to end.")
    jitter: Duration = Field(
        default=timedelta(0),
        description="It starts later by up to this: how much is drawn for each tick, and is the same everywhere.",
    )
    overlap: Overlap = Field(Overlap.SKIP, description="What becomes of a tick while the previous one is still at it.")
    missed: Missed = Field(Missed.ONCE, description="What becomes of ticks while no scheduler ran.")

    @model_validator(mode="after")
    def _check_when(self) -> ScheduledJob:
        if (self.cron is None) == (self.every is None):
            raise ValueError("it needs either `cron` or `every`" + (", not both" if self.cron else ""))
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ValueError("`every` is an interval of a second at least")
        return self


class Schedule(BaseModel):
    """A schedule file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: Annotated[str, AfterValidator(_check_zone)] = Field(
        "UTC", description="IANA name of the time zone of `cron` and `window`, such as Europe/Berlin."
    )
    jobs: list[ScheduledJob] = Field(min_length=1, description="What is done when.")

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone of its times of day."""
        return ZoneInfo(self.timezone)


def schedule_schema() -> dict[str, Any]:
    """Return the JSON Schema of a schedule file, for editors. ``mappings/schedule.schema.json`` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Schedule.model_json_schema()}
