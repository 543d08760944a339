"""Profiles of files of answers: their schema, the shipped ones and the page's, and what is wrong in one."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from ringfence.connectors.lookups.answer_file import parse_profile, profile_schema, read_word
from ringfence.core.errors import MappingError
from ringfence.core.model.axes import LineState

FOLDER = resources.files("ringfence.mappings").joinpath("profiles")
PAGE = Path(__file__).parents[3] / "docs" / "providers.md"
SHIPPED = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".yaml"))

GOOD = """\
provider: itg
number: [number]
status: [status]
values:
  dead: {validity: valid, line_state: disconnected}
"""


def test_the_schema_file_says_what_the_models_say() -> None:
    kept = json.loads(FOLDER.joinpath("profile.schema.json").read_text("utf-8"))
    assert kept == profile_schema(), "write json.dumps(profile_schema(), indent=2) to mappings/profiles"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_is_as_the_schema_says(name: str) -> None:
    text = FOLDER.joinpath(name).read_text("utf-8")

    _validate(text)
    assert parse_profile(text, name).provider


def test_the_profile_of_the_page_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(provider: .*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    _validate(text)
    profile = parse_profile(text, "the page")
    assert read_word("Out of service", profile).line is LineState.DISCONNECTED


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("number: [", "nubmer: [", "did you mean 'number'", id="an unknown key"),
        pytest.param("line_state", "line", "unknown key 'line'", id="an unknown key of a word"),
        pytest.param("disconnected", "gone", "values.dead.line_state", id="a state that is none of ours"),
        pytest.param("  dead: {validity: valid, line_state: disconnected}\n", "  {}\n", "values", id="no words"),
        pytest.param("  dead:", "  no:", 'as "no"', id="a word that YAML takes for no text"),
        pytest.param("[status]", "status", "status: Input should be a valid list", id="text for a list"),
        pytest.param("[number]", "[]", "number", id="no column"),
        pytest.param(GOOD, "", "hold nothing", id="an empty file"),
        pytest.param(GOOD, "- a list", "hold a list", id="a list"),
        pytest.param(GOOD, "{[: x", "not YAML: line 1, column 3", id="no YAML"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place(old: str, new: str, says: str) -> None:
    assert old in GOOD

    with pytest.raises(MappingError) as caught:
        parse_profile(GOOD.replace(old, new), "mine.yaml")

    assert "mine.yaml" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [GOOD.replace("line_state", "line"), GOOD.replace("disconnected", "gone"), GOOD.replace("provider: itg\n", "")],
)
def test_the_schema_refuses_what_the_models_refuse(wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        _validate(wrong)


def _validate(text: str) -> None:
    """Compare a file with the schema as an editor does, to whom every key is text."""
    jsonschema.validate(json.loads(json.dumps(yaml.safe_load(text))), profile_schema())
