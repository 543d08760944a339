"""Files that declare a lookup provider: their schema, the page's example, and what is wrong in a file, said clearly."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from ringfence.connectors.lookups.declared.file import parse_provider_file, provider_schema
from ringfence.core.errors import MappingError

FOLDER = resources.files("ringfence.mappings").joinpath("providers")
PAGE = Path(__file__).parents[3] / "docs" / "providers.md"

GOOD = """\
name: mine
credentials: [key]
request: {url: "https://api.example.com/v1", query: {number: "{e164}"}, headers: {X-Key: "{key}"}}
answer:
  validity: {path: valid, values: {true: valid}, default: unknown}
"""


def test_the_schema_file_says_what_the_models_say() -> None:
    kept = json.loads(FOLDER.joinpath("provider.schema.json").read_text("utf-8"))
    assert kept == provider_schema(), "write json.dumps(provider_schema(), indent=2) to mappings/providers"


SHIPPED = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_is_as_the_schema_says(name: str) -> None:
    _validate(FOLDER.joinpath(name).read_text("utf-8"))


def test_the_schema_takes_the_examples_and_no_unknown_key() -> None:
    for text in _examples():
        _validate(text)

    with pytest.raises(jsonschema.ValidationError):
        _validate(GOOD.replace("path: valid", "pathh: valid"))


def test_the_examples_of_the_page_are_provider_files() -> None:
    assert [parse_provider_file(text, "the page").name for text in _examples()] == ["mylookup", "otherlookup"]


def test_a_good_file_is_taken() -> None:
    assert parse_provider_file(GOOD, "mine.yaml").credentials == ["key"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("path: valid", "pathh: valid", "did you mean 'path'", id="an unknown key"),
        pytest.param("request:", "requst:", "did you mean 'request'", id="an unknown key at the top"),
        pytest.param(", default: unknown", "", "answer.validity.default", id="a map without default"),
        pytest.param("https://", "http://", "clear text", id="clear text"),
        pytest.param('"{e164}"}', '"{e164}", k: "{key}"}', "would stand in the URL", id="a secret in the URL"),
        pytest.param("{e164}", "{phone}", "nobody knows {phone}", id="an unknown place"),
        pytest.param('"{e164}"', "fixed", "the number stands nowhere", id="no number"),
        pytest.param('"{key}"', "fixed", "key is used nowhere", id="a credential that is never used"),
        pytest.param("true: valid", "true: alive", "'alive' is none of", id="a value that is none of ours"),
        pytest.param("{true: valid}", "{}", "neither values nor ranges", id="an empty map"),
        pytest.param(GOOD, "", "the file", id="an empty file"),
        pytest.param(GOOD, "- a list", "the file", id="a list"),
        pytest.param(GOOD, "{[: x", "not YAML", id="no YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(old: str, new: str, says: str) -> None:
    assert old in GOOD

    with pytest.raises(MappingError) as caught:
        parse_provider_file(GOOD.replace(old, new), "mine.yaml")

    assert "mine.yaml" in str(caught.value)
    assert says in str(caught.value)


def _examples() -> list[str]:
    examples = PAGE.read_text("utf-8").partition("\n## Write your own\n")[2]
    return re.findall(r"```yaml\n(.*?)```", examples, re.DOTALL)


def _validate(text: str) -> None:
    """Compare a file with the schema as an editor does, to whom every key is text."""
    jsonschema.validate(json.loads(json.dumps(yaml.safe_load(text))), provider_schema())
