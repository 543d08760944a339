"""What the user sees: tables and words on standard output, or one JSON document; everything else on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from ringfence.core.errors import RingfenceError


class Output:
    """Where a command prints. ``json`` is set by the command's ``--json``."""

    def __init__(self) -> None:
        self.json = False
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print words for a person; nothing in JSON mode."""
        if not self.json:
            self.out.print(text, style=style, markup=False)

    def note(self, text: str, style: str | None = "dim") -> None:
        """Print a remark on standard error."""
        self.err.print(text, style=style, markup=False)

    def table(self, title: str, columns: list[str], rows: list[list[str]], *, right: tuple[int, ...] = ()) -> None:
        """Print a table for a person; nothing in JSON mode. ``right`` holds the columns that are aligned right."""
        if self.json or not rows:
            return
        table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, justify="right" if index in right else "left", overflow="fold", no_wrap=index == 0)
        for row in rows:
            table.add_row(*(_plain(cell) for cell in row))
        self.out.print(table)

    def document(self, content: Any) -> None:
        """Print the one JSON document; nothing otherwise."""
        if self.json:
            sys.stdout.write(json.dumps(content, ensure_ascii=False, default=str) + "\n")

    def fail(self, error: RingfenceError) -> None:
        """Print what happened and what to do."""
        self.document(
            {
                "error": type(error).__name__,
                "message": error.message,
                "remedy": error.remedy,
                "exit_code": error.exit_code,
            }
        )
        self.err.print(f"Error: {error.message}", style="red", markup=False)
        if error.remedy:
            self.err.print(error.remedy, markup=False)


output = Output()


def _plain(cell: str) -> str:
    # A cell is data: what looks like markup in it is text.
    return cell.replace("[", "\\[")
