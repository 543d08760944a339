"""HubSpot's table of refusals, row by row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.hubspot.errors import RULES, find_rule, read_error, read_row_error
from ringfence.core.errors import RetryError
from ringfence.core.model.values import Outcome
from ringfence.core.numbers import mask_numbers

CASES = json.loads((Path(__file__).parent / "answers" / "errors.json").read_text())["cases"]
RECORDINGS = Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic" / "hubspot"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_refusal_becomes_the_error_that_helps(case: dict[str, Any]) -> None:
    error = read_error("the search of contacts", case["status"], case.get("headers", {}), case["body"])

    assert type(error).__name__ == case["raises"]
    assert case.get("says", "") in str(error)
    assert "555-0123" not in str(error)

    if isinstance(error, RetryError):
        assert error.wait_s == case.get("wait_s")
    else:
        assert error.remedy


def test_every_row_of_the_table_has_a_case() -> None:
    met = {find_rule(case["status"], case["body"]) for case in CASES}
    assert met >= set(RULES)


def test_of_many_scopes_that_would_do_the_one_we_need_is_named() -> None:
    needed = "crm.objects.contacts.read"
    named = [f"crm.objects.{name}.read" for name in "abcdefgh"]

    def words(scope: str, names: list[str]) -> str:
        return str(read_error("the call", 403, {}, {"errors": [{"context": {"requiredScopes": names}}]}, scope))

    assert f"it needs {needed}." in words(needed, [*named, needed])
    assert "crm.objects.e.read or 3 others" in words("", named)
    # HubSpot asks for something that we did not expect.
    assert f"it needs {needed}, and HubSpot names crm.objects.a.read" in words(needed, named)


def test_a_refusal_that_quotes_a_name_of_old_names_the_scope_of_today() -> None:
    words = "You do not have permissions to view object type X in portal 1 (requires one of [contacts-read])"
    body = {"status": "error", "message": words}

    error = read_error("the properties of contacts", 403, {}, body, "crm.objects.contacts.read")

    assert "it needs crm.objects.contacts.read." in error.message
    assert "contacts-read" not in error.message


@pytest.mark.parametrize(
    ("category", "outcome"),
    [("OBJECT_NOT_FOUND", Outcome.CONFLICT), ("VALIDATION_ERROR", Outcome.REFUSED), ("FORBIDDEN", Outcome.REFUSED)],
)
def test_a_row_error_is_a_conflict_only_where_the_record_is_gone(category: str, outcome: Outcome) -> None:
    result = read_row_error({"category": category, "message": "no +14155550123 here"})
    assert (result.outcome, result.code, result.message) == (outcome, category, "no +1415***0123 here")


@pytest.mark.parametrize(
    "words", ["id 12345", "4466a12f-19ec-4bdb-8382-66e029210ae3", "at 10:30 on port 8080", "crm.objects.contacts.read"]
)
def test_words_without_a_number_stay_as_they_are(words: str) -> None:
    assert mask_numbers(words) == words


@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings lie beside the checkout, not in it")
def test_every_recorded_refusal_is_understood() -> None:
    seen = 0
    for path in RECORDINGS.rglob("*.json"):
        exchanges = json.loads(path.read_text())
        for exchange in exchanges if isinstance(exchanges, list) else [exchanges]:
            answer = exchange.get("response", {}) if isinstance(exchange, dict) else {}
            if answer.get("status", 0) >= 400:
                body = answer["body"] if isinstance(answer["body"], dict) else {}
                error = read_error("the call", answer["status"], answer["headers"], body)
                expected = {429: "RateLimitError", 403: "AccessError", 404: "AnswerError", 400: "AnswerError"}
                assert type(error).__name__ == expected[answer["status"]]
                seen += 1

    assert seen > 20
