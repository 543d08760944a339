"""Clocks of the law: what the files that ship say, how days are counted, and what is said of a wrong file."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from ringfence.apps.config_files import find_clocks
from ringfence.core.config.clock_models import ClockKind
from ringfence.core.config.clocks import Clocks, clocks_schema, parse_clock_file
from ringfence.core.errors import MappingError

TODAY = date(2026, 11, 30)
RIGHT = """\
jurisdiction: DE
clocks:
  - {name: own, kind: request, what: It is honoured., days: 2, source: a law, confidence: official}
"""


@pytest.fixture(scope="module")
def clocks() -> Clocks:
    return find_clocks(None)


@pytest.mark.parametrize(
    ("jurisdiction", "days"), [("US", 31), ("CA", 31), ("GB", 28), ("AU", 30), ("SG", 21), ("FR", None), ("DE", None)]
)
def test_how_old_a_list_may_be(clocks: Clocks, jurisdiction: str, days: int | None) -> None:
    found = clocks.list_lifetime(jurisdiction, on=TODAY)

    assert found == (None if days is None else timedelta(days=days))


def test_a_list_clock_holds_from_its_first_day(clocks: Clocks) -> None:
    assert clocks.list_lifetime("US", "us-dnc", date(2004, 12, 31)) is None
    assert clocks.list_lifetime("US", "us-dnc", date(2005, 1, 1)) == timedelta(days=31)


@pytest.mark.parametrize(
    ("since", "last"),
    [
        (datetime(2026, 3, 2, 20, tzinfo=UTC), date(2026, 3, 16)),  # two plain weeks
        (datetime(2026, 12, 21, 20, tzinfo=UTC), date(2027, 1, 6)),  # Christmas and New Year's Day
        (datetime(2026, 6, 26, 20, tzinfo=UTC), date(2026, 7, 13)),  # a Saturday's holiday on its Friday
        (datetime(2027, 6, 30, 20, tzinfo=UTC), date(2027, 7, 15)),  # a Sunday's holiday on its Monday
        (datetime(2027, 12, 20, 20, tzinfo=UTC), date(2028, 1, 5)),  # the first of January is a Saturday, the 25th too
        (datetime(2026, 3, 7, 20, tzinfo=UTC), date(2026, 3, 20)),  # asked on a Saturday
        (datetime(2026, 3, 3, 5, tzinfo=UTC), date(2026, 3, 16)),  # still Monday evening in the west
        (datetime(2024, 3, 4, 20, tzinfo=UTC), None),  # before the rule
    ],
)
def test_a_request_is_honoured_in_ten_business_days(clocks: Clocks, since: datetime, last: date | None) -> None:
    assert clocks.request_deadline("US", since) == last


def test_federal_holidays_are_those_of_the_personnel_office(clocks: Clocks) -> None:
    days = [each.day(2027) for each in clocks.files["US"].holidays]

    assert [f"{day:%m-%d}" for day in days if day] == [
        *("01-01", "01-18", "02-15", "05-31", "06-18", "07-05"),
        *("09-06", "10-11", "11-11", "11-25", "12-24"),
    ]


def test_a_deadline_is_over_when_its_day_has_ended_there(clocks: Clocks) -> None:
    assert not clocks.is_over(date(2026, 3, 16), "US", datetime(2026, 3, 17, 9, 59, tzinfo=UTC))
    assert clocks.is_over(date(2026, 3, 16), "US", datetime(2026, 3, 17, 10, tzinfo=UTC))


def test_the_waiver_ends_on_its_day(clocks: Clocks) -> None:
    names = [[each.name for each in clocks.find("US", ClockKind.WAIVER, day)] for day in (TODAY, date(2027, 1, 31))]

    assert names == [["revoke-all"], []]


def test_the_french_rule_of_consent_holds_since_its_law(clocks: Clocks) -> None:
    days = (date(2026, 8, 11), date(2026, 8, 10))
    names = [[each.name for each in clocks.find("FR", ClockKind.CONSENT, day)] for day in days]

    assert names == [["opt-in"], []]
    assert list(clocks.find("DE", ClockKind.CONSENT, days[0])) == []


def test_files_of_the_user_win_over_those_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "clocks").mkdir()
    own = RIGHT.replace("DE", "US").replace("days: 2", "days: 5, counted: calendar")
    (tmp_path / "clocks" / "us.yaml").write_text(own, encoding="utf-8")
    (tmp_path / "clocks" / "de.yaml").write_text(RIGHT, encoding="utf-8")

    clocks = find_clocks(tmp_path)

    assert clocks.request_deadline("US", datetime(2026, 3, 2, 20, tzinfo=UTC)) == date(2026, 3, 7)
    assert clocks.request_deadline("DE", datetime(2026, 3, 2, 20, tzinfo=UTC)) == date(2026, 3, 4)
    assert clocks.list_lifetime("CA") == timedelta(days=31)


def test_two_files_of_one_jurisdiction_are_refused(tmp_path: Path) -> None:
    (tmp_path / "clocks").mkdir()
    (tmp_path / "clocks" / "ours.yaml").write_text(RIGHT.replace("DE", "US"), encoding="utf-8")

    with pytest.raises(MappingError, match="are of US, as those of another file are"):
        find_clocks(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("days: 2, ", "", r"clocks.0: a clock of the kind request has `days`"),
        ("kind: request", "kind: wish", r"clocks.0.kind: "),
        ("days: 2", "dais: 2", r"clocks.0.dais: unknown key 'dais' \(did you mean 'days'\?\)"),
        ("DE", "XQ", "jurisdiction: 'XQ' is no ISO 3166 code of a country"),
        ("clocks:", "time_zone: Mars/North\nclocks:", "there is no time zone 'Mars/North'"),
        ("clocks:", "holidays: [{name: A}]\nclocks:", "a holiday has a `date` as MM-DD, or `month`"),
        (RIGHT, "[1, 2]", "hold a list in place of keys"),
        ("clocks:", "clocks: [", "are not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(old: str, new: str, words: str) -> None:
    with pytest.raises(MappingError, match=words):
        parse_clock_file(RIGHT.replace(old, new), "clocks/x.yaml")


def test_the_schema_is_that_of_the_models_and_takes_every_file() -> None:
    folder = resources.files("ringfence.mappings").joinpath("clocks")

    kept = json.loads(folder.joinpath("clocks.schema.json").read_text("utf-8"))

    assert kept == clocks_schema(), "write json.dumps(clocks_schema(), indent=2) to mappings/clocks/clocks.schema.json"
    for file in folder.iterdir():
        if file.name.endswith(".yaml"):
            content = json.loads(json.dumps(yaml.safe_load(file.read_text("utf-8")), default=str))
            jsonschema.validate(content, kept)
