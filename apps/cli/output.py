"""What the user sees: tables and text on standard output, or one JSON document; everything else on standard error."""

from __future__ import annotations

import errno
import logging
import shutil
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from ringfence.core.errors import FileError, RingfenceError

from ..printable import printable, to_json
from ..remedies import explain, word
from .layout import lay_out_table, wrap
from .streams import encodes_any, find_failure

MARK_WIDTH = 8
UNBROKEN = 1_000_000
"""Width of a line where nobody's terminal breaks it."""


class Output:
    """Where a command prints. ``json`` is set by the command's ``--json``.

    Whatever it is given may hold text from outside, and is shown as text: nothing in it is taken for markup, and no
    character of it reaches the terminal that the terminal would obey.
    """

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
            indent = " " * (2 + MARK_WIDTH)
            width = self.out.width if self.out.is_terminal else UNBROKEN
            for line in wrap(
                f"  {mark:{MARK_WIDTH - 1}} {printable(text)}" if mark else f"{indent}{printable(text)}", width, indent
            ):
                _print(self.out, line, style, whole=True)

    def rule(self, title: str, *, above: bool = False) -> None:
        """Print a heading as wide as the terminal, 72 columns at most, with an empty line ``above`` it if wanted."""
        self.say(("\n" if above else "") + f"── {title} ".ljust(min(72, self.out.width), "─"), style="bold cyan")

    def note(self, text: str, style: str | None = "dim") -> None:
        """Print a remark on standard error."""
        _print(self.err, text, style)

    def pass_on(self, line: str) -> None:
        """Print a line on standard error that another process of ours has made, as it is."""
        self.err.print(Text(printable(line)), soft_wrap=True)

    def log(self, line: str, level: int) -> None:
        """Print a log line on standard error, in one piece; above the progress bar where one is shown."""
        if not self.err.is_terminal:  # a service logs hundreds of lines a second, which need no layout
            self.err.file.write(f"{printable(line)}\n")
            self.err.file.flush()
            return
        # The style belongs to the text: given to print() it would colour the bar below as well.
        styled = Text(printable(line), "yellow" if level >= logging.WARNING else "dim")
        self.err.print(styled, soft_wrap=True)

    def table(
        self, title: str, columns: list[str], rows: list[list[str]], *, right: tuple[int, ...] = (), whole: int = 1
    ) -> None:
        """Print a table for a person; nothing in JSON mode.

        ``right`` holds the columns that are aligned right; of the first ``whole`` columns no cell goes on below. A row
        is one line in a file and a pipe, as wide as it has to be, unless COLUMNS says how wide one may be.
        """
        if self.json or not rows:
            return
        # Where there is no terminal, COLUMNS is all that this can find.
        width = self.out.width if self.out.is_terminal else shutil.get_terminal_size((0, 0)).columns or None
        shown = [[printable(cell) for cell in row] for row in (columns, *rows)]
        head, body = lay_out_table(shown[0], shown[1:], width=width, right=right, whole=whole)

        if title:
            _print(self.out, title, "italic")
        for line in head:
            _print(self.out, line, "bold", whole=True)
        for line in body:
            _print(self.out, line, whole=True)

    def document(self, content: Any) -> None:
        """Print the one JSON document; nothing otherwise."""
        if self.json:
            self.write(to_json(content, ascii_only=not encodes_any(sys.stdout)))

    def write(self, line: str) -> None:
        """Write a line on standard output at once, whatever the mode; nothing where that is closed."""
        if sys.stdout is not None:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def fail(self, error: RingfenceError) -> None:
        """Print what happened and what to do."""
        message, remedy = word(error)

        self.document(
            {
                "error": type(error).__name__,
                "message": message,
                "remedy": remedy,
                "exit_code": error.exit_code,
                "code": error.code.value,
            }
        )
        self.complain(message, remedy)

    def complain(self, message: str, remedy: str = "") -> None:
        """Print on standard error what happened, and on a line of its own what to do."""
        _print(self.err, f"Error: {message}", "red")
        if remedy:
            _print(self.err, remedy)

    def fail_one(self, name: str, error: RingfenceError) -> None:
        """Print on standard error why one of several CRMs failed, while the others go on."""
        _print(self.err, f"{name}: {explain(error)}", "red")

    def finish(self, code: int) -> int:
        """Return the exit code at the end of the process: ``code``, unless what was printed got lost.

        A reader that has gone, such as ``head``, has what it wanted. A full disk is told; the command has done its work
        all the same, so that the code of an end of its own stands.
        """
        failure = find_failure(sys.stdout)
        if failure is None or failure.errno == errno.EPIPE:
            return code

        self.json = False  # there is no place for a document
        self.fail(
            FileError(
                f"Standard output cannot be written: {failure.strerror}. The command itself has ended.",
                "Make room, or send the output elsewhere.",
            )
        )
        return code or FileError.exit_code


output = Output()


def _print(console: Console, text: str, style: str | None = None, *, whole: bool = False) -> None:
    """Print text as it is; a terminal's lines break between words, what goes into a file or a pipe is not broken."""
    for line in _lines(text).split("\n"):
        for part in [line] if whole or not console.is_terminal else wrap(line, console.width):
            console.print(part, style=style, markup=False, soft_wrap=True)


def _lines(text: str) -> str:
    """Return a text for showing. Empty lines around it are ours; a break within it came with data, and is a blank."""
    body = text.strip("\n")
    before, _, behind = text.partition(body) if body else (text, "", "")
    return f"{before}{printable(body)}{behind}"
