"""Profiles of files of calls and messages: the built-in ones, the examples of the page, and what is wrong in one."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from ringfence.core.config.history_profile import (
    HistoryProfile,
    find_zone,
    history_profile_schema,
    parse_history_profile,
    plain_word,
)
from ringfence.core.errors import MappingError
from ringfence.core.model.signals import Outcome

FOLDER = resources.files("ringfence.mappings").joinpath("history")
PAGE = Path(__file__).resolve().parents[3] / "docs" / "history.md"
LEAST = "source: x\nnumber: [n]\nstatus: [s]\nat: [t]\nchannel: {default: sms}\n"


def parse(more: str = "") -> HistoryProfile:
    return parse_history_profile(LEAST + more, "x.yaml")


def test_the_schema_is_the_one_of_the_model() -> None:
    kept = json.loads(FOLDER.joinpath("history.schema.json").read_text("utf-8"))
    assert kept == history_profile_schema(), "write json.dumps(history_profile_schema(), indent=2) to it"


def test_the_built_in_profiles_are_named_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = [file.name for file in FOLDER.iterdir() if file.name.endswith(".yaml")]

    assert len(names) == 4
    for name in names:
        parse_history_profile(FOLDER.joinpath(name).read_text("utf-8"), name)
        assert f"| `{name.removesuffix('.yaml')}` |" in page


def test_the_examples_of_the_page_are_profiles() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    assert [parse_history_profile(each, "docs/history.md").source for each in examples] == ["callcenter", "twilio"]


def test_words_count_however_they_are_written() -> None:
    assert {plain_word(each) for each in ("Sent Date", "sent_date", "SENT-DATE", "\ufeffsentdate ")} == {"sentdate"}
    # YAML takes the first for a truth and the second for a figure.
    assert parse("outcomes: {No: no_answer, 30005: out_of_service}\nstop: [no]\n").outcomes == {
        "no": Outcome.NO_ANSWER,
        "30005": Outcome.OUT_OF_SERVICE,
    }
    assert parse("stop: [No]\n").stop == ("no",)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("outcome: {}\n", "did you mean 'outcomes'"),
        ("direction: {column: [x]}\n", "did you mean 'columns'"),
        ("outcomes: {busy: engaged}\n", "outcomes.busy"),
        ("timezone: Berlin\n", "no time zone; write one such as Europe/Berlin"),
        ("number: []\n", "number"),
        ("source: Two Words\n", "source"),
        ("number: [\n", "not YAML"),
    ],
)
def test_what_is_wrong_is_named(more: str, said: str) -> None:
    with pytest.raises(MappingError, match=r"x\.yaml") as caught:
        parse(more)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["", "..", "/etc/passwd", "Europe", "No/Where", "x" * 5000, "\0"])
def test_what_is_no_zone(name: str) -> None:
    assert find_zone(name) is None
