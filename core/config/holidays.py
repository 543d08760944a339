"""Public holidays as rules that a person can read, and the business days that they leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Day = date
"""A day, under a name that no field of a model hides."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_SATURDAY = 5

MonthDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class Weekday(StrEnum):
    """The days of the week, Monday first."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Observed(StrEnum):
    """Which day is free where a holiday falls on a weekend."""

    SAME = "same"  # no other one
    NEAREST = "nearest"  # the Friday before a Saturday, the Monday after a Sunday


class Holiday(BaseModel):
    """One holiday that comes every year: on a date, or on the n-th of a weekday in a month."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    date: MonthDay | None = Field(None, description="Month and day, MM-DD.")
    month: int | None = Field(None, ge=1, le=12)
    nth: int | None = Field(None, ge=-1, le=4, description="1 is the first of the month's, -1 the last.")
    weekday: Weekday | None = None
    observed: Observed = Field(Observed.SAME, description="The free day where the date falls on a weekend.")
    first_year: int = Field(1, description="The year in which it was first kept.")

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        by_weekday = (self.month, self.nth, self.weekday)
        if self.date is None and (None in by_weekday or self.nth == 0):
            raise ValueError("a holiday has a `date` as MM-DD, or `month`, `nth` and `weekday`")
        if self.date is not None and by_weekday != (None, None, None):
            raise ValueError("a holiday has a `date`, or `month`, `nth` and `weekday`: not both")
        return self

    def day(self, year: int) -> Day | None:
        """Return the day that is free for it; None in years before it was kept, or that lack its date."""
        if year < self.first_year:
            return None
        if self.date is None:
            return self._find_weekday(year)

        month, _, day = self.date.partition("-")
        try:
            return self._observe(date(year, int(month), int(day)))
        except ValueError:
            return None  # the 29th of February

    def _find_weekday(self, year: int) -> Day:
        month, nth, weekday = self.month or 1, self.nth or 1, list(Weekday).index(self.weekday or Weekday.MONDAY)
        if nth < 0:
            last = date(year + month // 12, month % 12 + 1, 1) - _DAY
            return last - (last.weekday() - weekday) % 7 * _DAY
        first = date(year, month, 1)
        return first + (weekday - first.weekday()) % 7 * _DAY + (nth - 1) * _WEEK

    def _observe(self, day: Day) -> Day:
        if self.observed is Observed.SAME or day.weekday() < _SATURDAY:
            return day
        return day - _DAY if day.weekday() == _SATURDAY else day + _DAY


def add_business_days(start: date, count: int, holidays: Sequence[Holiday]) -> date:
    """Return the last of ``count`` business days after ``start``: Mondays to Fridays without the holidays."""
    day = start
    for _ in range(count):
        day = next(each for each in _after(day) if _is_business_day(each, holidays))
    return day


def _after(day: date) -> Iterator[date]:
    while True:
        day += _DAY
        yield day


def _is_business_day(day: date, holidays: Sequence[Holiday]) -> bool:
    # A first of January on a Saturday is observed in the year before.
    years = (day.year, day.year + 1)
    return day.weekday() < _SATURDAY and all(each.day(year) != day for each in holidays for year in years)
