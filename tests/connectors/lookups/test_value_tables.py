"""Every row of a provider's value table, over a real socket: what it says, on each axis, and the verdict that follows.

A table is ``tests/cases/lookups/NAME.yaml``: the name of the provider's entry point, its settings, and rows. In a body
``{number}`` stands for the digits of the number asked about. ``verdict`` is null where the lookup is owed, and
``raises`` names the error of what is true of the account.
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.core import errors
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.reasons import parse_reason
from ringfence.core.model.verdicts import judge, offline_facts, with_answer
from ringfence.core.numbers import read_number
from ringfence.core.ports.lookup import LookupPlugin
from ringfence.core.ports.services import Services
from testkit.clock import SetClock

from ..conftest import Script

TABLES = [
    yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted((Path(__file__).resolve().parents[2] / "cases" / "lookups").glob("*.yaml"))
]
ROWS = [pytest.param(table, row, id=f"{table['provider']}: {row['name']}") for table in TABLES for row in table["rows"]]
NUMBER = "+14155550132"


@pytest.mark.parametrize(("table", "row"), ROWS)
def test_a_row_says_what_the_table_tells(
    script: Script, clock: SetClock, table: dict[str, Any], row: dict[str, Any]
) -> None:
    e164 = row.get("number", NUMBER)
    body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
    script.says(row.get("status", 200), body.replace("{number}", e164.removeprefix("+")), **row.get("headers", {}))

    if "raises" in row:
        with pytest.raises(getattr(errors, row["raises"])):
            _ask(table, script.url, clock, e164)
        return

    answer = _ask(table, script.url, clock, e164)
    assert {axis: _axis(answer, axis) for axis in row.get("axes", {})} == row.get("axes", {})
    if "verdict" in row:
        assert _verdict(answer, table["provider"]) == row["verdict"]


def _ask(table: dict[str, Any], url: str, clock: SetClock, e164: str) -> Answer:
    (point,) = entry_points(group="ringfence.lookups", name=table["provider"])
    plugin: LookupPlugin = point.load()
    lookup = plugin.connect(plugin.settings(**table["settings"], base_url=url), Services(clock))
    try:
        (answer,) = lookup.look_up([e164])
    finally:
        lookup.close()
    assert isinstance(answer, Answer)
    return answer


def _axis(answer: Answer, axis: str) -> str:
    """Return what the answer says on an axis, in the words of the table."""
    if axis == "reassigned":
        return answer.reassigned.answer.value if answer.reassigned else "not_checked"
    said = getattr(answer, "line" if axis == "line_state" else axis)
    return "unknown" if said is None else str(said)


def _verdict(answer: Answer, provider: str) -> dict[str, str] | None:
    """Return status and reason code for a number of which the numbering plan knows; None where the lookup is owed."""
    if answer.kind is AnswerKind.FAILED:
        return None
    number = read_number(answer.e164, None)
    verdict = judge(with_answer(offline_facts(number, answer.observed_at), answer, provider))
    reason = parse_reason(verdict.reason)
    return {"status": verdict.status.value, "code": reason.code.value if reason else ""}
