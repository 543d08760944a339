"""The core names situations, the command line words them: no flag in the core, no situation without words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ringfence.apps import operations
from ringfence.apps.remedies import REMEDIES, explain, word
from ringfence.core import errors
from ringfence.core.errors import ErrorCode, GuardError, QuotaError, RingfenceError

CORE = Path(errors.__file__).parent
OPERATIONS = Path(operations.__file__).parent
OF_A_DOOR = re.compile(r"(?<![\w-])--[a-z]|RINGFENCE_[A-Z]|TMPDIR|`ringfence ")
"""A flag, an environment variable or a command."""

CLASSES = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, RingfenceError)}


@dataclass(frozen=True)
class MadeError:
    """A place where an error is made."""

    where: str
    kind: str
    texts: list[str]
    has_remedy: bool
    code: ErrorCode | None


def errors_made(room: Path) -> Iterator[MadeError]:
    for path in sorted(room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                code = _code(node)
                if node.func.id in CLASSES or code is not None:
                    yield _made_error(f"{path.relative_to(room)}:{node.lineno}", node, node.func.id, code)


def _code(call: ast.Call) -> ErrorCode | None:
    for keyword in call.keywords:
        if keyword.arg == "code" and ast.unparse(keyword.value).startswith("ErrorCode."):
            return ErrorCode[ast.unparse(keyword.value).removeprefix("ErrorCode.")]
    return None


def _made_error(where: str, call: ast.Call, kind: str, code: ErrorCode | None) -> MadeError:
    texts = [part.value for part in ast.walk(call) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return MadeError(where, kind, texts, len(call.args) > 1, code)


def errors_made_in_core() -> Iterator[MadeError]:
    return errors_made(CORE)


def test_the_search_sees_the_errors_of_the_core() -> None:
    made = list(errors_made_in_core())

    assert len(made) > 40
    assert {"GuardError", "StateError", "UsageError"} <= {error.kind for error in made}


@pytest.mark.parametrize("room", [CORE, OPERATIONS], ids=["core", "operations"])
def test_no_error_behind_the_doors_names_a_flag_a_variable_or_a_command(room: Path) -> None:
    named = [error.where for error in errors_made(room) if any(OF_A_DOOR.search(text) for text in error.texts)]

    assert not named


def test_every_error_of_the_core_has_a_remedy_of_its_own_or_a_code_that_the_table_words() -> None:
    unworded = [error for error in errors_made_in_core() if not error.has_remedy and error.code not in REMEDIES]

    # What only a bug can raise is nothing that a user could mend.
    assert {error.kind for error in unworded} <= {"RingfenceError"}


def test_the_table_words_the_codes_of_situations_and_no_class() -> None:
    raised = {error.code for room in (CORE, OPERATIONS) for error in errors_made(room)} - {None}

    assert set(REMEDIES) == raised
    assert not set(REMEDIES) & {getattr(errors, name).code for name in CLASSES}


def test_each_class_of_errors_has_a_code_of_its_own() -> None:
    codes = [getattr(errors, name).code for name in CLASSES]

    assert len(codes) == len(set(codes))
    assert {*codes, *REMEDIES} == set(ErrorCode)


def test_what_the_error_says_itself_stands_before_the_words_of_the_table() -> None:
    error = GuardError("30 of 50 would become invalid.", "Check the mapping.", code=ErrorCode.MASS_CHANGE)

    assert word(error) == (
        "30 of 50 would become invalid.",
        "Check the mapping. If this is right, run again with --accept-mass-change.",
    )
    assert "--" not in str(error)


def test_a_message_of_the_table_takes_the_place_of_the_errors_own() -> None:
    error = QuotaError("It is used up.", code=ErrorCode.LOOKUP_BUDGET_USED_UP, details={"max_lookups": 60})

    assert explain(error) == (
        "The budget of 60 lookups is used up (RINGFENCE_LOOKUP__MAX_LOOKUPS). "
        "The next run goes on from here and pays for nothing twice."
    )


@pytest.mark.parametrize("kind", [RingfenceError, QuotaError])
def test_an_error_that_the_table_does_not_know_says_what_it_says(kind: type[RingfenceError]) -> None:
    assert word(kind("It is so.", "Do that.")) == ("It is so.", "Do that.")
