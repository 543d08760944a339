"""How the benchmark of several workers judges end states: what a killed worker accounts for, and no more than that."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
LOST = "inconclusive: twilio (answer lost) could not tell whether the line is live"

Judge = Callable[..., list[str]]


def answered(**changed: Any) -> dict[str, Any]:
    row = {"LastName": "Rossi", "Phone": "+390612345678", "DoNotCall": False}
    for slot, number in (("RF_Phone", "+390612345678"), ("RF_MobilePhone", "+393331234567")):
        row |= {
            f"{slot}_Status__c": "active",
            f"{slot}_Reason__c": "live: twilio confirmed the line",
            f"{slot}_Line_Type__c": "mobile",
            f"{slot}_E164__c": number,
        }
    return {name: value for name, value in (row | changed).items() if value is not None}


def lost(**changed: Any) -> dict[str, Any]:
    told = {"RF_Phone_Status__c": "valid", "RF_Phone_Reason__c": LOST, "RF_Phone_Line_Type__c": "fixed_line"}
    return answered(**(told | changed))


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Return what did not hold where two workers end with some rows, and with others once one of them was killed."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    states, show, loopback = map(importlib.import_module, ("end_states", "partition_show", "loopback"))

    def outcome(name: str, rows: list[dict[str, Any]], *, bought: int = 100, told: int = 0, then: int = 0) -> Any:
        contacts = tmp_path / name
        lines = (json.dumps([f"{number:03}", row], sort_keys=True) for number, row in enumerate(rows))
        contacts.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        tally = loopback.Tally(requests=1, cpu_s=1, lookups=bought)
        return show.Outcome(name, 1, len(rows), len(rows), told, 0, then, tally, contacts)

    def judged(
        two: list[dict[str, Any]],
        other: list[dict[str, Any]],
        *,
        killed: bool = True,
        asked_again: tuple[int, list[dict[str, Any]]] | None = None,
        **counted: int,
    ) -> Any:
        one, another = outcome("two", two), outcome("other", other, **counted)
        if asked_again is not None:
            bought, rows = asked_again
            another = replace(another, asked_again=outcome("asked again", rows).contacts, bought_again=bought)
        difference = states.find_difference(one.contacts, another.contacts)
        return show._unpromised(difference, one, another, most_lost=states.AT_ONCE if killed else 0)

    return judged


def test_the_same_contacts_are_as_promised(judge: Judge) -> None:
    assert judge([answered(), lost()], [answered(), lost()]) == []


@pytest.mark.parametrize("bought", [99, 100])
def test_an_answer_that_was_told_as_lost_may_be_missing(judge: Judge, bought: int) -> None:
    other = lost(RF_Phone_Reason__c=f"{LOST} (read unusual spaces as spaces)")
    assert judge([answered(), answered()], [answered(), other], told=1, bought=bought) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"LastName": "Bianchi"},
        {"DoNotCall": True},
        {"Phone": None},
        {"RF_Phone_E164__c": None},
        {"RF_Phone_Status__c": "disconnected"},
        {"RF_Phone_Status__c": None},
        {"RF_Phone_Reason__c": "inconclusive: twilio could not tell whether the line is live"},
        {"RF_Phone_Reason__c": None},
        {"RF_MobilePhone_Status__c": "valid"},
        {"RF_MobilePhone_Line_Type__c": None},
    ],
)
def test_a_lost_answer_accounts_for_its_own_verdict_alone(judge: Judge, changed: dict[str, Any]) -> None:
    assert any(
        "the contacts are not those of two workers" in what for what in judge([answered()], [lost(**changed)], told=1)
    )


def test_a_missing_record_is_named(judge: Judge) -> None:
    assert judge([answered(), answered()], [answered()])
    assert judge([answered()], [answered(), answered()])


@pytest.mark.parametrize(
    "counted",
    [
        {"told": 0},
        {"told": 1, "bought": 98},
        {"told": 1, "bought": 101},
        {"told": 1, "then": 1},
        {"told": 1, "killed": False},
    ],
)
def test_a_lost_answer_is_told_and_bought_once_at_the_most(judge: Judge, counted: dict[str, Any]) -> None:
    assert judge([answered()], [lost()], **counted)


def test_lost_answers_that_are_asked_for_again_leave_no_difference(judge: Judge) -> None:
    two, other = [answered(), answered()], [lost(), answered()]
    assert judge(two, other, told=1, asked_again=(1, two)) == []
    assert judge(two, other, told=1, asked_again=(1, other))
    assert judge(two, other, told=1, asked_again=(0, two))
    assert judge(two, other, told=1, asked_again=(2, two))
    assert judge(two, two, asked_again=(0, [answered(), answered(LastName="Bianchi")]))


def test_no_worker_takes_more_answers_along_than_it_has_on_their_way(judge: Judge) -> None:
    def rows(count: int) -> list[dict[str, Any]]:
        return [lost(RF_Phone_E164__c=f"+39061234567{number}") for number in range(count)]

    def whole(count: int) -> list[dict[str, Any]]:
        return [answered(RF_Phone_E164__c=f"+39061234567{number}") for number in range(count)]

    assert judge(whole(8), rows(8), told=8) == []
    assert judge(whole(9), rows(9), told=9)
