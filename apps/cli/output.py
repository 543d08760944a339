"""What the user sees: tables and text on standard output, or one JSON document; everything else on standard error."""

from __future__ import annotations

import json
import logging
import sys
import textwrap
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from ringfence.core.errors import RingfenceError

from ..remedies import explain, word

MARK_WIDTH = 8
UNBROKEN = 1_000_000
"""Width of a line where nobody's terminal breaks it."""


class Output:
    """Where a command prints. ``json`` is set by the command's ``--json``."""

    def __init__(self) -> None:
        self.json = False
        # No emoji codes: what stands between two colons is data, as in a time of day.
        self.out = Console(highlight=False, soft_wrap=True, emoji=False)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    def say(self, text: str = "", style: str | None = None, *, whole: bool = False) -> None:
        """Print a line for a person; nothing in JSON mode. ``whole`` keeps a line that is to be copied in one piece."""
        if not self.json:
            _print(self.out, text, style, whole=whole)

    def item(self, text: str, *, mark: str = "", style: str | None = None) -> None:
        """Print an entry of a list under its mark; on a terminal its further lines stand below its first."""
        if not self.json:
            width = self.out.width if self.out.is_terminal else UNBROKEN
            indent = " " * (2 + MARK_WIDTH)
            lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
            shown = "\n".join(lines)
            _print(self.out, f"  {mark:{MARK_WIDTH}}{shown[len(indent) :]}", style)

    def note(self, text: str, style: str | None = "dim") -> None:
        """Print a remark on standard error."""
        _print(self.err, text, style)

    def log(self, line: str, level: int) -> None:
        """Print a log line on standard error, in one piece; above the progress bar where one is shown."""
        # The style belongs to the text: given to print() it would colour the bar below as well.
        styled = Text(line, "yellow" if level >= logging.WARNING else "dim")
        self.err.print(styled, soft_wrap=True)

    def table(
        self, title: str, columns: list[str], rows: list[list[str]], *, right: tuple[int, ...] = (), whole: int = 1
    ) -> None:
        """Print a table for a person; nothing in JSON mode.

        ``right`` holds the columns that are aligned right; of the first ``whole`` columns no cell is broken.
        """
        if self.json or not rows:
            return
        table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
        for index, column in enumerate(columns):
            side: JustifyMethod = "right" if index in right else "left"
            table.add_column(column, justify=side, overflow="fold", no_wrap=index < whole)
        for row in rows:
            table.add_row(*(_plain(cell) for cell in row))
        self.out.print(table)

    def document(self, content: Any) -> None:
        """Print the one JSON document; nothing otherwise."""
        if self.json:
            sys.stdout.write(json.dumps(content, ensure_ascii=False, default=str) + "\n")

    def fail(self, error: RingfenceError) -> None:
        """Print what happened and what to do."""
        message, remedy = word(error)

        self.document(
            {"error": type(error).__name__, "message": message, "remedy": remedy, "exit_code": error.exit_code}
        )
        _print(self.err, f"Error: {message}", "red")
        if remedy:
            _print(self.err, remedy)

    def fail_one(self, name: str, error: RingfenceError) -> None:
        """Print on standard error why one of several CRMs failed, while the others go on."""
        self.err.print(f"{name}: {explain(error)}", style="red", markup=False)


output = Output()


def _print(console: Console, text: str, style: str | None = None, *, whole: bool = False) -> None:
    """Print text as it is; a terminal's lines break between words, what goes into a file or a pipe is not broken."""
    console.print(text, style=style, markup=False, soft_wrap=whole or not console.is_terminal)


def _plain(cell: str) -> str:
    # A cell is data: what looks like markup in it is text.
    return cell.replace("[", "\\[")
