"""The table of docs/operations.md that says what each exit code asks of whoever started the command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


@dataclass(frozen=True, slots=True)
class Row:
    """What an exit code asks for: of systemd, of a Kubernetes Job, and of a task on its first and its second try."""

    systemd: str
    kubernetes: str
    first_try: str
    second_try: str


def read_table() -> dict[int, Row]:
    """Return the rows by exit code; one row may stand for several codes."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    words = r" ([\w ]+) \|"
    lines = re.findall(rf"^\| ([\d, ]+) \| [^|]+ \|{words * 4}$", text, re.MULTILINE)
    return {int(code): Row(*each) for codes, *each in lines for code in codes.split(",")}


def codes_with(column: str, words: str) -> set[int]:
    """Return the exit codes whose row has these words in the column."""
    return {code for code, row in read_table().items() if getattr(row, column) == words}
