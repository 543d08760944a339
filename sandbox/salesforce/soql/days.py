"""Date literals: LAST_N_DAYS:30, THIS_FISCAL_QUARTER, ... -> the days that they mean.

Days are those of UTC, weeks begin on Sunday, and the fiscal year is the calendar's ("Date Formats and Date Literals").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

Days = tuple[date, date]
"""The first day, and the day after the last one."""

_NAMED = re.compile(r"(LAST|THIS|NEXT)_(?:FISCAL_)?(WEEK|MONTH|QUARTER|YEAR)\Z")
_COUNTED = re.compile(r"(LAST|NEXT)_N_(?:FISCAL_)?(DAY|WEEK|MONTH|QUARTER|YEAR)S:(\d+)\Z")
_AGO = re.compile(r"N_(?:FISCAL_)?(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO:(\d+)\Z")
_SINGLE = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
_SHIFTS = {"LAST": -1, "THIS": 0, "NEXT": 1}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def read_days(word: str, today: date) -> Days | None:
    """Return what a literal means on a day, None for a word that is none. Raises OverflowError, ValueError far away."""
    if word in _SINGLE:
        return _units("DAY", today, _SINGLE[word], 1)
    if word == "LAST_90_DAYS":
        return read_days("LAST_N_DAYS:90", today)
    if word == "NEXT_90_DAYS":
        return read_days("NEXT_N_DAYS:90", today)
    if match := _NAMED.match(word):
        return _units(match[2], today, _SHIFTS[match[1]], 1)
    if match := _AGO.match(word):
        return _units(match[1], today, -int(match[2]), 1)
    if match := _COUNTED.match(word):
        return _counted(match[1], match[2], int(match[3]), today)
    return None


def _counted(side: str, unit: str, count: int, today: date) -> Days:
    if side == "NEXT":
        return _units(unit, today, 1, count)
    # The past days go on through today, while weeks and longer units end before the present one.
    return _units(unit, today, -count, count + (unit == "DAY"))


def _units(unit: str, today: date, shift: int, count: int) -> Days:
    move = _mover(unit, today)
    return move(shift), move(shift + count)


def _mover(unit: str, today: date) -> Callable[[int], date]:
    """Return what gives the first day of the unit so many units away from the present one."""
    if unit == "DAY":
        return lambda away: today + timedelta(days=away)
    if unit == "WEEK":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        return lambda away: sunday + timedelta(weeks=away)

    size = _MONTHS[unit]
    present = (today.year * 12 + today.month - 1) // size

    def first(away: int) -> date:
        year, month = divmod((present + away) * size, 12)
        return date(year, month + 1, 1)

    return first
