"""How calls and messages are weighed, as a file says it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from ringfence.core.config.evidence_rules import evidence_rules_schema, parse_evidence_rules
from ringfence.core.errors import MappingError
from ringfence.core.model.evidence_rules import DEFAULT_SIGNS, EvidenceRules
from ringfence.core.model.signals import Outcome

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = REPOSITORY / "mappings"
PAGE = REPOSITORY / "docs" / "evidence.md"


def test_the_built_in_file_says_what_counts_without_one() -> None:
    built_in = parse_evidence_rules(FOLDER.joinpath("evidence.yaml").read_text("utf-8"), "evidence.yaml")

    assert built_in.model_copy(update={"codes": {}, "doubtful_receipts": ()}) == EvidenceRules()


def test_the_schema_is_that_of_the_model_and_takes_the_built_in_file() -> None:
    kept = json.loads(FOLDER.joinpath("evidence.schema.json").read_text("utf-8"))

    assert kept == evidence_rules_schema(), "write json.dumps(evidence_rules_schema(), indent=2) to its file"
    jsonschema.validate(yaml.safe_load(FOLDER.joinpath("evidence.yaml").read_text("utf-8")), kept)


def test_the_file_of_the_page_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    assert parse_evidence_rules(text, "the page").signs[Outcome.NO_ANSWER] == "neutral"


def test_the_page_tells_what_each_outcome_shows() -> None:
    rows = re.findall(r"^\| `(alive|exists|neutral|failed|dead)` \|[^|]*\| (.*) \|$", PAGE.read_text("utf-8"), re.M)
    told = {Outcome(name): sign for sign, outcomes in rows for name in re.findall(r"`(\w+)`", outcomes)}

    assert told == {outcome: str(sign) for outcome, sign in DEFAULT_SIGNS.items()}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("suspects: {}", "did you mean 'suspect'"),
        ("suspect: {failed: 4}", "suspect"),
        ("suspect: {failed_in_a_row: 0}", "failed_in_a_row"),
        ("disconnected: {kinds: 1}", "kinds"),
        ("signs: {no_answer: perhaps}", "no_answer"),
        ("signs: {nobody: failed}", "nobody"),
        ("- a list", "list"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_evidence_rules(text, "mine.yaml")

    assert "mine.yaml" in str(caught.value)
    assert says in str(caught.value)
