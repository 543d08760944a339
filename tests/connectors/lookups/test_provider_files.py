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
    names = [parse_provider_file(text, "the page").name for text in _examples()]

    assert names == ["mylookup", "otherlookup", "manylookup"]


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
        pytest.param("api.example", "{key}.example", "in the host {key}.example.com", id="a secret in the host"),
        pytest.param("api.example", "{e164}.example", "in the host", id="a number in the host"),
        pytest.param("/v1", "/{key}/v1", "would stand in the URL", id="a secret in the path"),
        pytest.param("/v1", "/v1#{key}", "no web address", id="a secret in the fragment"),
        pytest.param("https://api", "https://{key}@api", "no web address", id="a secret in the user"),
        pytest.param("answer:", "answer:\n  items: results", "items: it is for files with batch", id="items of one"),
        pytest.param(GOOD, "", "hold nothing", id="an empty file"),
        pytest.param(GOOD, "# only a comment", "hold nothing", id="a file of comments"),
        pytest.param(GOOD, "- a list", "hold a list in place of keys", id="a list"),
        pytest.param(GOOD, "name", "hold text in place of keys", id="text"),
        pytest.param(GOOD, "{[: x", "not YAML: line 1, column 3", id="no YAML"),
        pytest.param("name: mine", "name: mine\n\tx: 1", "not YAML: line 2, column 1", id="a tab"),
        pytest.param(GOOD, "[" * 5000, "nested too deeply", id="brackets without end"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(old: str, new: str, says: str) -> None:
    assert old in GOOD

    with pytest.raises(MappingError) as caught:
        parse_provider_file(GOOD.replace(old, new), "mine.yaml")

    assert "mine.yaml" in str(caught.value)
    assert says in str(caught.value)


BATCH = """\
name: mine
batch: 50
request: {method: POST, url: "https://api.example.com/v1", json: {numbers: ["{e164}"]}}
answer:
  items: results
  number: phone
  validity: {path: valid, values: {true: valid}, default: unknown}
"""


def test_a_good_file_of_batches_is_taken() -> None:
    assert parse_provider_file(BATCH, "mine.yaml").batch == 50
    _validate(BATCH)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("method: POST, ", "", "so it is POST", id="no body in a GET"),
        pytest.param('["{e164}"]', '"{e164}"', "one list whose one element", id="no list"),
        pytest.param('["{e164}"]', '["{e164}"], n: ["{digits}"]', "one list whose one element", id="two lists"),
        pytest.param('["{e164}"]', '["{e164}"], first: "{e164}"', "in the list of request.json alone", id="beside it"),
        pytest.param("  items: results\n", "", "names items", id="no items"),
        pytest.param("  number: phone\n", "", "and number", id="nothing to join by"),
        pytest.param("batch: 50", "batch: 0", "batch", id="none at once"),
        pytest.param(
            "batch: 50",
            "batch: 50\nstatus_answers: {404: {has: x, validity: invalid, evidence: routing_db}}",
            "nothing about one of many",
            id="a status about many",
        ),
    ],
)
def test_a_batch_that_cannot_be_asked_or_joined_is_refused(old: str, new: str, says: str) -> None:
    assert old in BATCH

    with pytest.raises(MappingError) as caught:
        parse_provider_file(BATCH.replace(old, new), "mine.yaml")

    assert says in str(caught.value)


def _examples() -> list[str]:
    examples = PAGE.read_text("utf-8").partition("\n## Write your own\n")[2]
    return re.findall(r"```yaml\n(.*?)```", examples, re.DOTALL)


def _validate(text: str) -> None:
    """Compare a file with the schema as an editor does, to whom every key is text."""
    jsonschema.validate(json.loads(json.dumps(yaml.safe_load(text))), provider_schema())
