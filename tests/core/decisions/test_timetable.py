"""Ticks: the nights of daylight saving, windows, jitters, month ends and leap days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.config.schedule import Schedule, ScheduledJob
from ringfence.core.decisions.timetable import Timetable, find_problems

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Havana",
        "Africa/Cairo",
        "Asia/Kathmandu",
    ]
)
CRONS = st.sampled_from(
    [
        "30 2 * * *",
        "*/15 * * * *",
        "0 * * * *",
        "*/30 2 * * *",
        "0 0 * * *",
        "15 0,1,2,3 * * *",
        "0 */2 * * *",
        "0 3 L * *",
    ]
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone


def job(**keys: Any) -> ScheduledJob:
    return ScheduledJob.model_validate({"name": "nightly", "run": "sync --all", **keys})


def table(zone: str = "Europe/Berlin", **keys: Any) -> Timetable:
    return Timetable(job(**keys), ZoneInfo(zone))


def local_times(timetable: Timetable, after: str, count: int) -> list[str]:
    """Return the next ticks in local time, such as ``29 03:00``."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(after).replace(tzinfo=zone)
    return [f"{tick.due_at.astimezone(zone):%d %H:%M}" for tick in islice(timetable.after(start), count)]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 2 * * *", ["28 02:30", "29 03:00", "30 02:30"]),
        ("*/30 2 * * *", ["28 02:00", "28 02:30", "29 03:00", "30 02:00"]),
        ("0 2,3 * * *", ["28 02:00", "28 03:00", "29 03:00", "30 02:00"]),
        ("0 * * * *", ["28 01:00", "28 02:00"]),
    ],
)
def test_what_is_due_in_a_skipped_hour_comes_once_right_behind_it(cron: str, expected: list[str]) -> None:
    assert local_times(table(cron=cron), "2026-03-28 00:30", len(expected)) == expected


def test_by_the_hour_a_skipped_one_has_no_tick() -> None:
    assert local_times(table(cron="0 * * * *"), "2026-03-29 00:30", 3) == ["29 01:00", "29 03:00", "29 04:00"]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 2 * * *", ["25 02:30", "26 02:30"]),
        ("*/30 2 * * *", ["25 02:00", "25 02:30", "26 02:00"]),
        ("0 1-3 * * *", ["25 01:00", "25 02:00", "25 03:00", "26 01:00"]),
        ("0 * * * *", ["25 01:00", "25 02:00", "25 02:00", "25 03:00"]),
    ],
)
def test_what_is_due_in_a_doubled_hour_comes_once_unless_it_comes_by_the_hour(cron: str, expected: list[str]) -> None:
    assert local_times(table(cron=cron), "2026-10-25 00:30", len(expected)) == expected


def test_begun_within_the_doubled_hour_nothing_comes_again() -> None:
    second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15 for the second time

    tick = next(table(cron="30 2 * * *").after(second))

    assert tick.due_at == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_an_interval_knows_no_daylight_saving() -> None:
    ticks = [tick.due_at for tick in islice(table(every="6h").after(datetime(2026, 10, 24, 20, tzinfo=UTC)), 4)]

    assert [f"{moment:%d %H}" for moment in ticks] == ["25 00", "25 06", "25 12", "25 18"]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 3 31 * *", ["2026-12-31", "2027-01-31", "2027-03-31", "2027-05-31"]),
        ("0 3 L * *", ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]),
        ("0 3 29 2 *", ["2028-02-29", "2032-02-29"]),
        ("0 3 * * MON#1", ["2026-12-07", "2027-01-04"]),
        ("0 3 1 1 *", ["2027-01-01", "2028-01-01"]),
    ],
)
def test_month_ends_and_leap_days(cron: str, expected: list[str]) -> None:
    ticks = islice(table("UTC", cron=cron).after(datetime(2026, 11, 29, 12, tzinfo=UTC)), len(expected))

    assert [f"{tick.due_at:%Y-%m-%d}" for tick in ticks] == expected


def test_a_window_over_midnight_leaves_out_what_is_due_by_day() -> None:
    timetable = table(every="4h", window="22:00-06:00")

    assert local_times(timetable, "2026-12-01 12:00", 4) == ["02 01:00", "02 05:00", "03 01:00", "03 05:00"]


@pytest.mark.parametrize(
    ("window", "after", "ends"),
    [
        ("01:00-06:00", "2026-12-01 00:00", "2026-12-01T05:00"),
        ("22:00-06:00", "2026-12-01 00:00", "2026-12-01T05:00"),
        ("22:00-02:00", "2026-12-01 22:30", "2026-12-02T01:00"),
        ("20:00-24:00", "2026-12-01 12:00", "2026-12-01T23:00"),
        ("01:00-06:00", "2026-03-29 00:00", "2026-03-29T04:00"),
        ("01:00-06:00", "2026-10-25 00:00", "2026-10-25T05:00"),
    ],
)
def test_a_window_closes_by_the_wall_clock(window: str, after: str, ends: str) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo("Europe/Berlin"))

    tick = next(table(cron="15 * * * *", window=window).after(start))

    assert tick.ends_at == datetime.fromisoformat(ends).replace(tzinfo=UTC)


def test_a_window_that_ends_in_the_doubled_hour_closes_behind_each_of_its_ticks() -> None:
    ticks = list(islice(table(every="10m", window="02:00-02:30").after(datetime(2026, 10, 24, 23, 55, tzinfo=UTC)), 6))

    assert [f"{tick.due_at:%H:%M}" for tick in ticks] == ["00:00", "00:10", "00:20", "01:00", "01:10", "01:20"]
    assert all(tick.ends_at is not None and tick.ends_at > tick.due_at for tick in ticks)


def test_a_jitter_is_another_one_each_time_and_the_same_everywhere() -> None:
    here, there = (list(islice(table(cron="15 2 * * *", jitter="10m").after(NOW), 50)) for _ in range(2))
    other = Timetable(
        job(cron="15 2 * * *", jitter="10m").model_copy(update={"name": "other"}), ZoneInfo("Europe/Berlin")
    )

    delays = [tick.starts_at - tick.due_at for tick in here]
    assert here == there
    assert len(set(delays)) > 30
    assert all(timedelta(0) <= delay < timedelta(minutes=10) for delay in delays)
    assert [tick.starts_at for tick in islice(other.after(NOW), 50)] != [tick.starts_at for tick in here]


def test_a_jitter_leaves_no_tick_behind_the_window() -> None:
    ticks = islice(table(cron="55 5 * * *", window="01:00-06:00", jitter="1h").after(NOW), 50)

    assert all(tick.ends_at is not None and tick.starts_at < tick.ends_at for tick in ticks)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"cron": "15 2 * * *", "window": "03:00-06:00"}, "never falls into 03:00-06:00 (Europe/Berlin)"),
        ({"cron": "0 12 29 2 *", "window": "03:00-06:00"}, "never falls into"),
        ({"every": "1d", "window": "04:00-06:00"}, "the interval, counted from midnight UTC, never falls into"),
        ({"every": "1h", "jitter": "2h"}, "two ticks may lie 1h apart, and it is longer"),
        ({"cron": "0,5 3 * * *", "jitter": "10m"}, "two ticks may lie 5m apart"),
        ({"cron": "0 0 */29 2 MON#5"}, "names a day that never comes"),
    ],
)
def test_what_cannot_be_meant_is_found(keys: dict[str, str], words: str) -> None:
    ((place, told),) = find_problems(Schedule(timezone="Europe/Berlin", jobs=[job(**keys)]), NOW)

    assert place[:2] == ("jobs", 0)
    assert words in told


def test_what_is_meant_is_left_alone() -> None:
    jobs = [
        job(cron="15 2 * * *", window="01:00-06:00", jitter="2m"),
        job(cron="0 3 29 2 *", window="01:00-06:00"),
        job(every="1s", window="03:00-03:01"),
        job(every="1h", jitter="1h"),
        job(every="366d"),
    ]

    assert list(find_problems(Schedule(timezone="Europe/Berlin", jobs=jobs), NOW)) == []


@given(ZONES, CRONS, MOMENTS)
def test_ticks_follow_each_other_wherever_one_begins(zone: str, cron: str, moment: datetime) -> None:
    timetable = table(zone, cron=cron)

    ticks = [tick.due_at for tick in islice(timetable.after(moment), 8)]

    assert moment < ticks[0]
    for earlier, later in pairwise(ticks):
        assert earlier < later
        assert next(timetable.after(earlier)).due_at == later
        assert next(timetable.after(earlier + (later - earlier) / 2)).due_at == later


@given(ZONES, st.integers(1, 100_000), MOMENTS)
def test_an_interval_comes_to_the_same_ticks_wherever_one_begins(zone: str, seconds: int, moment: datetime) -> None:
    timetable = table(zone, every=f"{seconds}s")

    first, second = (tick.due_at for tick in islice(timetable.after(moment), 2))

    assert moment < first <= moment + timedelta(seconds=seconds)
    assert second - first == timedelta(seconds=seconds)
    assert next(timetable.after(first - timedelta(microseconds=1))).due_at == first
