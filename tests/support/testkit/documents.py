"""The commands that a document shows, with the reason where one is not to be carried out by a test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?^```console\n(?P<lines>.*?)^```", re.MULTILINE | re.DOTALL)


class ShownCommand(NamedTuple):
    """A line that a reader is to type; ``why_not_run`` is empty where it is to be carried out."""

    line: str
    why_not_run: str


def shown_commands(document: Path) -> list[ShownCommand]:
    """Return the commands of a document's console blocks, in their order.

    A comment ``<!-- not run: REASON -->`` on the line before a block holds for all of it.
    """
    text = document.read_text(encoding="utf-8")
    return [
        ShownCommand(line.removeprefix("$ "), (block["why"] or "").strip())
        for block in _BLOCK.finditer(text)
        for line in block["lines"].splitlines()
        if line.startswith("$ ")
    ]
