"""``ringfence explain`` and docs/words.md: every word that the program says, from one file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence import connectors
from ringfence.apps.cli import exit_codes
from ringfence.apps.remedies import word
from ringfence.apps.words import all_words, find_meanings, render_page
from ringfence.core import errors
from ringfence.core.decisions.due import DueReason
from ringfence.core.decisions.exports import LeftOut
from ringfence.core.errors import ErrorCode, RingfenceError, Terminated
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.model.values import Outcome
from ringfence.core.model.verdicts import Status
from ringfence.core.numbers import LineType, ReasonCode, repairs
from ringfence.core.ports.crm import Level
from ringfence.core.runs import undo
from ringfence.core.runs.counts import Counts, SkipReason
from ringfence.core.runs.ending import describe_end
from ringfence.core.state.pending import PendingReason

from .conftest import Cli

REPOSITORY = Path(__file__).resolve().parents[2]
ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RingfenceError)]
ENDS = [describe_end(error, word) for error in (KeyboardInterrupt(), Terminated(), ZeroDivisionError())]
EXIT_CODES = {getattr(exit_codes, name) for name in exit_codes.__all__ if name.isupper()}

SAID = {
    "status": set(Status),
    "reason": set(ReasonCode),
    "due": set(DueReason),
    "skipped": set(SkipReason),
    "left out": set(LeftOut),
    "waiting": set(PendingReason),
    "outcome": set(Outcome),
    "run": set(RunOutcome),
    "exit code": {str(code) for code in EXIT_CODES | {kind.exit_code for kind in ERRORS}},
    "end": {kind.__name__ for kind in ERRORS} | {end.error for end in ENDS},
    "error code": set(ErrorCode),
    "count": set(Counts.__dataclass_fields__),
    "line type": set(LineType),
    "block kind": set(BlockKind),
    "block source": set(BlockSource),
    "channel": set(Channel),
    "check": set(Level),
    "kept": {undo.CHANGED_SINCE, undo.OPT_OUT, undo.WRONG_PERSON, undo.GONE, undo.NOT_MAPPED, undo.VALUES_ERASED},
    "repair": {*repairs.FIXED, repairs.exit_prefix("00"), repairs.doubled_exit_prefix("00")},
}
"""By kind, every word that the program can say."""


def row_codes() -> Iterator[str]:
    """Yield the codes that our own code gives to rows."""
    rooms = [Path(errors.__file__).parent, Path(next(iter(connectors.__path__)))]
    for path in (path for room in rooms for path in room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "RowResult" and len(node.args) > 1:
                yield from (
                    part.value
                    for part in ast.walk(node.args[1])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isupper()
                )


@pytest.mark.parametrize("kind", SAID)
def test_every_word_of_a_kind_is_explained_and_none_that_nobody_says(kind: str) -> None:
    explained = [meaning.word for meaning in all_words() if meaning.kind == kind]

    assert set(explained) == {str(each) for each in SAID[kind]}, "apps/words.yaml explains what is said"
    assert len(explained) == len(set(explained))


def test_the_codes_that_rows_get_from_us_are_explained() -> None:
    explained = {meaning.word for meaning in all_words() if meaning.kind == "row code"}

    assert set(row_codes()) == explained


def test_the_page_is_what_the_file_says() -> None:
    page = (REPOSITORY / "docs" / "words.md").read_text(encoding="utf-8")

    assert page == render_page(), "run: make words"


def test_a_word_of_several_kinds_is_explained_for_each(cli: Cli) -> None:
    shown = cli("explain", "unreachable")
    document = cli("explain", "unreachable", "--json").document

    assert shown.code == 0
    assert "unreachable (status)" in shown.out
    assert "unreachable (reason)" in shown.out
    assert document["word"] == "unreachable"
    assert {"status", "reason"} <= {meaning["kind"] for meaning in document["meanings"]}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Do-Not-Contact", "do_not_contact"),
        ("exit code 4", "4"),
        ("`checked again`", "checked again"),
        ("no_region: a national number, and no country is known", "no_region"),
        ("read 011 as +", "read 00 as +"),
    ],
)
def test_a_word_is_found_as_people_spell_it(asked: str, found: str) -> None:
    assert find_meanings(asked)[0].word == found


def test_words_need_no_quotes(cli: Cli) -> None:
    assert "4 (exit code)" in cli("explain", "exit", "code", "4").out


def test_an_unknown_word_is_refused_with_near_ones(cli: Cli) -> None:
    refused = cli("explain", "permision")

    assert refused.code == 2
    assert "Did you mean 'permission'" in refused.err
    assert cli("explain", "xyzzy", "--json").document["exit_code"] == 2


def test_without_a_word_all_are_listed(cli: Cli) -> None:
    document = cli("explain", "--json").document

    assert len(document["words"]) == len(all_words())
    assert "Statuses of a slot" in cli("explain").out
