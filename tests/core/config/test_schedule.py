"""Schedule files: what may stand in them, and what is said of a wrong one, with the line."""

from __future__ import annotations

import json
from datetime import time, timedelta
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from ringfence.core.config.schedule import Missed, Overlap, Window, name_duration, read_duration, schedule_schema
from ringfence.core.config.schedule_file import parse_schedule, read_schedule
from ringfence.core.errors import FileError, ScheduleError

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "schedule.example.yaml"

RIGHT = """\
timezone: Europe/Berlin
jobs:
  - {name: nightly, run: check, cron: "15 2 * * *", window: "22:00-06:00", jitter: 2m, overlap: queue, missed: skip}
  - {name: often, run: sync salesforce, every: 15m}
"""


def test_a_schedule_says_what_is_done_when() -> None:
    schedule = parse_schedule(RIGHT, "s.yaml").schedule

    nightly, often = schedule.jobs
    assert schedule.zone.key == "Europe/Berlin"
    assert (nightly.cron, nightly.window) == ("15 2 * * *", Window(time(22), time(6)))
    assert (nightly.jitter, nightly.overlap, nightly.missed) == (timedelta(minutes=2), Overlap.QUEUE, Missed.SKIP)
    assert (often.run, often.every, often.window) == ("sync salesforce", timedelta(minutes=15), None)
    assert (often.jitter, often.overlap, often.missed) == (timedelta(0), Overlap.SKIP, Missed.ONCE)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("15m", "15", "jobs[2].every (line 4): 15 is no duration: a number with its unit is wanted"),
        ("15m", "1:30", "jobs[2].every (line 4): 90 is no duration"),
        ("15m", "soon", "'soon' is no duration"),
        ("15m", "400d", "'400d' is longer than a year"),
        ("15m", "99999999999999999999d", "is longer than a year"),
        ("15m", "0s", "`every` is an interval of a second at least"),
        ("Europe/Berlin", "Europe/Berln", "timezone (line 1): there is no time zone 'Europe/Berln' (did you mean 'Eu"),
        ("Europe/Berlin", "../../etc/passwd", "timezone (line 1): there is no time zone"),
        ("Europe/Berlin", "Europe", "timezone (line 1): there is no time zone 'Europe'"),
        ("15 2 * * *", "15 25 * * *", "jobs[1].cron (line 3): '15 25 * * *' is no cron expression: bad hour"),
        ("15 2 * * *", "15 2 * *", "has 4 fields; a cron expression has five"),
        ("15 2 * * *", "0 15 2 * * *", "has 6 fields; a cron expression has five"),
        ("15 2 * * *", "@daily", "has 1 fields; a cron expression has five"),
        ("15 2 * * *", "0 0 30 2 *", "is no cron expression: bad day-of-month"),
        ("queue", "stop", "jobs[1].overlap (line 3): 'stop' is not known; it may be skip or queue"),
        ("missed: skip", "missed: twice", "'twice' is not known; it may be once or skip"),
        ("jitter", "jiter", "jobs[1].jiter (line 3): unknown key 'jiter' (did you mean 'jitter'?)"),
        ("timezone", "zone", "zone (line 1): unknown key 'zone' (did you mean 'timezone'?)"),
        ("often", "Nightly", "jobs[2].name (line 4): 'Nightly' is the name of another job already"),
        ("name: often", 'name: "[red]"', "jobs[2].name (line 4): letters, digits, blanks"),
        ("run: sync salesforce, ", "", "jobs[2].run (line 4): it is missing"),
        (", every: 15m", "", "jobs[2] (line 4): it needs either `cron` or `every`"),
        ("every: 15m", "every: 15m, cron: '* * * * *'", "it needs either `cron` or `every`, not both"),
        ("every: 15m", "every: 15m, every: 3m", "jobs[2].every (line 4): it stands there twice"),
        ("22:00-06:00", "22-6", "jobs[1].window (line 3): '22-6' is no run window"),
        ("22:00-06:00", "25:00-06:00", "'25:00-06:00' is no run window"),
        ("22:00-06:00", "06:00-06:00", "begins and ends at the same time"),
        ("  - {name: often", "  - {name often", "unknown key 'name often'"),
        (RIGHT, "jobs: 3", "jobs (line 1): a list is wanted"),
        (RIGHT, "jobs: [3]", "jobs[1] (line 1): a table of keys is wanted"),
        (RIGHT, "jobs: []", "jobs (line 1): it must not be empty"),
        (RIGHT, "jobs: [", "is not YAML"),
        (RIGHT, "jobs: &all [*all]", "jobs[1] (line 1): a table of keys is wanted"),
        (RIGHT, "[" * 1000, "is not YAML"),
        (RIGHT, "1: 2", "1 (line 1)"),
        ("name: often", "name: 2026-11-30", "jobs[2].name (line 4): a text is wanted"),
        (RIGHT, "", "is empty or not a table of keys"),
    ],
)
def test_what_is_wrong_is_told_with_key_and_line(old: str, new: str, words: str) -> None:
    assert old in RIGHT

    with pytest.raises(ScheduleError) as told:
        parse_schedule(RIGHT.replace(old, new, 1), "s.yaml")

    assert words in told.value.message
    assert "s.yaml" in told.value.message
    assert told.value.exit_code == 2


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ScheduleError) as told:
        parse_schedule(RIGHT.replace("15m", "15").replace("15 2", "15 25"), "s.yaml")

    assert "line 3" in told.value.message
    assert "line 4" in told.value.message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("jobs: [{name: über}]".encode("latin-1"))

    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_schedule(tmp_path / "none.yaml")
    with pytest.raises(ScheduleError, match="not UTF-8"):
        read_schedule(tmp_path / "latin.yaml")


@pytest.mark.parametrize("text", ["90s", "15m", "2h", "1d", "1h30m", "1d2h3m4s"])
def test_durations_are_read_as_they_are_named(text: str) -> None:
    assert name_duration(read_duration(text)) in {text, "1m30s"}


def test_the_schema_file_says_what_the_models_say() -> None:
    kept = json.loads(resources.files("ringfence.mappings").joinpath("schedule.schema.json").read_text("utf-8"))

    assert kept == schedule_schema(), "write json.dumps(schedule_schema(), indent=2) to mappings/schedule.schema.json"


def test_the_example_is_right_and_editors_find_its_schema() -> None:
    first = EXAMPLE.read_text("utf-8").splitlines()[0]
    schema = (EXAMPLE.parent / first.rpartition("$schema=")[2]).resolve()

    jobs = read_schedule(EXAMPLE).schedule.jobs

    assert len(jobs) == 5
    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text("utf-8")), json.loads(schema.read_text("utf-8")))


@pytest.mark.parametrize(
    "wrong", ["every: 15", "every: soon", "window: night", "overlap: stop", "missed: twice", "colour: red"]
)
def test_the_schema_refuses_what_the_models_refuse(wrong: str) -> None:
    content = yaml.safe_load(f"jobs: [{{name: a, run: check, {wrong}}}]")

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schedule_schema())
