"""Every row of a provider's value table, over a real socket: what it says, on each axis, and the verdict that follows.

A table is ``tests/cases/lookups/NAME.yaml``: the name of the provider's entry point, its settings, and rows. A row has
the ``body`` of the answer, and its HTTP ``status`` and ``headers`` where they are not those of a good one; or ``file``,
the answers as they are imported, for a provider without an API. In it ``{number}`` stands for the digits of the number
asked about. A row with ``after`` is asked once the provider has given that good answer about another number, so that
it is known to be there. ``verdict`` is null where the lookup is owed, and ``raises`` names the error of what is true
of the account, or of the address.
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.apps.operations.providers import find_profile
from ringfence.connectors.lookups.answer_file import read_answers, read_word
from ringfence.connectors.lookups.reading import to_answer
from ringfence.core import errors
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.reasons import parse_reason
from ringfence.core.model.verdicts import judge, offline_facts, with_answer
from ringfence.core.numbers import read_number
from ringfence.core.ports.lookup import LookupPlugin
from ringfence.core.ports.services import Services
from testkit.clock import SetClock
from testkit.keys import write_private_key

from ..conftest import Script

TABLES = [
    yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted((Path(__file__).resolve().parents[2] / "cases" / "lookups").glob("*.yaml"))
]
ROWS = [pytest.param(table, row, id=f"{table['provider']}: {row['name']}") for table in TABLES for row in table["rows"]]
NUMBER, ANOTHER = "+14155550132", "+14155550199"


@pytest.fixture(scope="module")
def private_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the key file of an application."""
    return write_private_key(tmp_path_factory.mktemp("keys"))


def test_every_registered_provider_has_a_table() -> None:
    registered = {point.name for point in entry_points(group="ringfence.lookups")}

    assert {table["provider"] for table in TABLES} == registered


@pytest.mark.parametrize(("table", "row"), ROWS)
def test_a_row_says_what_the_table_tells(
    script: Script, clock: SetClock, private_key: Path, tmp_path: Path, table: dict[str, Any], row: dict[str, Any]
) -> None:
    e164 = row.get("number", NUMBER)
    settings = {name: _filled(value, {"private_key": private_key}) for name, value in table["settings"].items()}

    def ask() -> Answer:
        if "file" in row:
            return _import(_filled(row["file"], {"number": e164[1:]}), table["provider"], tmp_path, clock)
        return _ask(table["provider"], settings, script, clock, row)

    if "raises" in row:
        with pytest.raises(getattr(errors, row["raises"])):
            ask()
        return

    answer = ask()
    assert {axis: _axis(answer, axis) for axis in row.get("axes", {})} == row.get("axes", {})
    if "verdict" in row:
        assert _verdict(answer, table["provider"]) == row["verdict"]


def _ask(provider: str, settings: dict[str, Any], script: Script, clock: SetClock, row: dict[str, Any]) -> Answer:
    e164 = row.get("number", NUMBER)
    numbers = [e164]
    if "after" in row:
        numbers = [ANOTHER, e164]
        script.says(200, _filled(row["after"], {"number": ANOTHER[1:]}))
    script.says(row.get("status", 200), _filled(row["body"], {"number": e164[1:]}), **row.get("headers", {}))

    (point,) = entry_points(group="ringfence.lookups", name=provider)
    plugin: LookupPlugin = point.load()
    lookup = plugin.connect(plugin.settings(**settings, base_url=script.url), Services(clock))
    try:
        # A call for each number, for a batch would take both at once.
        *_, (answer,) = [list(lookup.look_up([number])) for number in numbers]
    finally:
        lookup.close()
    assert isinstance(answer, Answer)
    return answer


def _import(text: str, provider: str, folder: Path, clock: SetClock) -> Answer:
    """Return the one answer of a file, read by the profile of the provider's name."""
    file, profile = folder / "answers.csv", find_profile(None, provider)
    file.write_text(text, "utf-8")
    (row,) = read_answers(file, profile)
    return to_answer(f"+{row.number.lstrip('+')}", read_word(row.word, profile), clock.now())


def _filled(value: Any, places: dict[str, Any]) -> str:
    """Return a template with its places filled; what is no text becomes JSON first."""
    text = value if isinstance(value, str) else json.dumps(value)
    for name, filling in places.items():
        text = text.replace(f"{{{name}}}", str(filling))
    return text


def _axis(answer: Answer, axis: str) -> Any:
    """Return what the answer says on an axis, in the words of the table; `unknown` where it does not tell."""
    if axis == "reassigned":
        return answer.reassigned.answer.value if answer.reassigned else "not_checked"
    if axis == "carrier":
        return answer.carrier.name if answer.carrier else "unknown"
    if axis == "flags":
        return list(answer.risk.flags) if answer.risk else []
    if axis == "unrecognised":
        return [list(each) for each in answer.unrecognised]
    said = getattr(answer, "line" if axis == "line_state" else axis)
    if isinstance(said, bool):
        return said
    return "unknown" if said is None else str(said)


def _verdict(answer: Answer, provider: str) -> dict[str, str] | None:
    """Return status and reason code for a number of which the numbering plan knows; None where the lookup is owed."""
    if answer.kind in (AnswerKind.FAILED, AnswerKind.LOST):
        return None
    number = read_number(answer.e164, None)
    verdict = judge(with_answer(offline_facts(number, answer.observed_at), answer, provider))
    reason = parse_reason(verdict.reason)
    return {"status": verdict.status.value, "code": reason.code.value if reason else ""}
