"""Salesforce's table of refusals, row by row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.salesforce.errors import (
    CODES,
    ROW_CONFLICTS,
    STATUSES,
    Fault,
    read_error,
    read_fault,
    read_row_error,
)
from ringfence.core.errors import RetryError
from ringfence.core.model.values import Outcome
from ringfence.core.numbers import mask_numbers

CASES = json.loads((Path(__file__).parent / "answers" / "errors.json").read_text())["cases"]
RECORDINGS = Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic" / "salesforce"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_refusal_becomes_the_error_that_helps(case: dict[str, Any]) -> None:
    error = read_error("the call", case["status"], case["body"])

    assert type(error).__name__ == case["raises"]
    assert case.get("says", "") in str(error)
    assert "555-0123" not in str(error)
    assert isinstance(error, RetryError) or error.remedy


def test_a_sentence_of_salesforce_ends_once() -> None:
    error = read_error("a query", 403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "Limit exceeded."}])

    assert str(error).count("exceeded..") == 0
    assert "exceeded." in str(error)


def test_every_row_of_the_tables_has_a_case() -> None:
    faults = [(case["status"], read_fault(case["body"]).code) for case in CASES]

    assert {code for _, code in faults} >= set(CODES)
    assert {status for status, code in faults if code not in CODES} >= set(STATUSES)


@pytest.mark.parametrize(
    "code",
    [
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "DUPLICATES_DETECTED",
        "ENTITY_IS_LOCKED",
        "STRING_TOO_LONG",
    ],
)
def test_a_row_is_refused_with_the_words_of_the_org(code: str) -> None:
    result = read_row_error(read_fault([{"statusCode": code, "message": "call (415) 555-0123", "fields": []}]))
    assert (result.outcome, result.code, result.message) == (Outcome.REFUSED, code, "call ***23")


@pytest.mark.parametrize("code", sorted(ROW_CONFLICTS))
def test_a_row_that_is_gone_is_a_conflict(code: str) -> None:
    assert read_row_error(Fault(code, "entity is deleted")).outcome is Outcome.CONFLICT


@pytest.mark.parametrize("content", [None, [], {}, "", "<html>", [None], [{"message": None}], 5])
def test_a_body_of_any_shape_is_a_fault(content: object) -> None:
    assert read_fault(content) == Fault("", "")
    assert read_row_error(read_fault(content)).code == "UNKNOWN"


@pytest.mark.parametrize(
    "words",
    ["0035i00000ABCdEAAW", "at Row:1:Column:11", "limit of 200 records", "line 1, column 123456"],
)
def test_words_without_a_number_stay_as_they_are(words: str) -> None:
    assert mask_numbers(words) == words


def recorded(content: Any) -> Iterator[tuple[int, Any]]:
    """Yield (status, body) of every refusal anywhere in a recording."""
    if isinstance(content, list):
        for item in content:
            yield from recorded(item)
    elif isinstance(content, dict):
        answer = content.get("response")
        if isinstance(answer, dict) and answer.get("status", 0) >= 400:
            yield answer["status"], answer.get("body", answer.get("jsonBody"))
        for item in content.values():
            yield from recorded(item)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings lie beside the checkout, not in it")
def test_every_recorded_refusal_is_understood() -> None:
    seen: Counter[str] = Counter()
    for path in RECORDINGS.rglob("*.json"):
        for status, body in recorded(json.loads(path.read_text())):
            if isinstance(body, list):
                assert read_fault(body).code
                error = read_error("the call", status, body)
                assert read_fault(body).code in error.message
                seen[type(error).__name__] += 1

    assert seen["SessionError"]
    assert seen["AnswerError"] > 20
