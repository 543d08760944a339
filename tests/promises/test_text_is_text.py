"""Text from a CRM or a file is text: no terminal takes it for markup or obeys it, and no sign of it ends a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from testkit.account import COMMAND, Account
from testkit.commands import Cli, Result
from testkit.terminal import run_on_terminal

HOSTILE = [
    r"\[/x] 1",
    "[/bold] 2",
    "[link=https://evil.example]call[/link] 3",
    "\x1b]0;owned\x07 4",
    "\x1b]8;;https://evil.example\x1b\\call\x1b]8;;\x1b\\ 5",
    "\x9b31m 6",
    "\u202e7 8 9",
    "a\rb\nc\td 1",
    "\u2066\u200f\ufeff 2",
    "\N{TELEPHONE RECEIVER} 3",
]
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""What a terminal could obey; line breaks aside, which are ours."""


@pytest.fixture
def people() -> int:
    return 30


@pytest.fixture
def crm() -> str:
    """One CRM will do: what is shown knows no CRM by name."""
    return "salesforce"


@pytest.fixture
def hostile(account: Account) -> Account:
    """An account into which strangers wrote by a web form, with a validation rule in words of the same kind."""
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
    keys = [account.add(1, phone=text)[0] for text in HOSTILE]
    refused, rule = {id_ for _, id_ in keys[:3]}, " ".join(HOSTILE)

    def refuse(*row: Any) -> tuple[str, str] | None:
        id_ = str(row[-2]["Id"] if account.crm == "salesforce" else row[0])
        return ("RULE", rule) if id_ in refused else None

    account.refuse(refuse)
    return account


def on_terminal(account: Account, *words: str) -> Result:
    return run_on_terminal([*COMMAND, *words], account.folder, account.environment())


def test_a_terminal_obeys_nothing_that_comes_from_a_crm(hostile: Account, command: Cli) -> None:
    synced = on_terminal(hostile, "sync", hostile.crm)
    run_id = command("runs", "list", "--json").document["runs"][0]["run_id"]
    shown = on_terminal(hostile, "runs", "show", run_id)

    assert (synced.code, shown.code) == (1, 0)
    for told in (synced.out, shown.out):
        assert "[link=https://evil.example]call[/link]" in told
        assert r"\x1b]0;owned\x07" in told
        assert OBEYED.findall(told) == []


def test_no_sign_ends_a_run(hostile: Account) -> None:
    hostile.extra["PYTHONIOENCODING"] = "ascii"

    told = hostile.finish(hostile.start("sync", hostile.crm, encoding="ascii"))

    assert told.code == 1
    assert "Traceback" not in told.out + told.err
    assert "empty -> " in told.out


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose columns and cells are text of strangers."""
    path = tmp_path / "people.csv"
    header = "Phone,[link=//x]N[/link],\x1b[31mNote\x1b[0m"
    path.write_text("\n".join([header, *(f'+1 415 555 0132,"{text}",{text[0]}' for text in HOSTILE)]), encoding="utf-8")
    return path


def test_a_terminal_obeys_nothing_that_comes_from_a_file(file: Path) -> None:
    shown = run_on_terminal([*COMMAND, "screen", str(file), "--region", "US"], file.parent, {})

    assert shown.code == 0
    assert "[link=//x]N[/link]" in shown.out
    assert OBEYED.findall(shown.out) == []


def test_a_document_holds_the_text_as_it_is_and_nothing_that_a_terminal_obeys(hostile: Account, command: Cli) -> None:
    refused: Any = command("sync", hostile.crm, "--json")

    assert refused.code == 1
    assert refused.document["refused"][0]["message"].count("\x9b31m 6") == 1
    assert OBEYED.findall(refused.out) == []
