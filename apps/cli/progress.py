"""How far a long command has come: a bar on a terminal, a plain line now and then otherwise."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from ..printable import printable

LINE_EVERY_S = 5.0
LONGEST_NAME = 30
ROOMY = 110
"""Columns from which the bar's line has room for the name of the command, which stands above it anyway."""


class RunProgress:
    """Shows rows, rate and time left on the console, under the name of the command.

    It is the progress of :class:`ringfence.apps.operations.Door`; shown for as long as its block lasts.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        name = printable(name)
        self._name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        self._bar = _bar(console) if console.is_terminal else None
        self._task = self._bar.add_task(name, total=None, rate="") if self._bar else None
        self._phase = ""
        self._total: int | None = None
        self._done = self._lookups = 0
        self._started = self._printed = time.monotonic()

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a part of the work; called again, learn its size in records."""
        if name == self._phase and total == self._total:
            return
        if name != self._phase:
            self._done = 0
            self._started = time.monotonic()
        self._phase, self._total = name, total
        self._show()

    def advance(self, records: int) -> None:
        """Count so many more records as done."""
        self._done += records
        self._show()

    def bought(self, lookups: int) -> None:
        """Show that so many lookups have been bought so far."""
        self._lookups = lookups
        self._show()

    def at(self, done: int, total: int) -> None:
        """Show that so many of so many rows of a file are done."""
        self._done, self._total = done, total
        self._show()

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def _show(self) -> None:
        now = time.monotonic()
        rate = f"{self._done / max(now - self._started, 0.001):,.0f} rows/s"
        title = self._title()

        if self._bar and self._task is not None:
            shown = rate if self._done else ""
            self._bar.update(self._task, description=title, total=self._total, completed=self._done, rate=shown)
        elif self._done and now - self._printed >= LINE_EVERY_S:
            self._printed = now
            of = f" of {self._total:,}" if self._total else ""
            self._console.print(f"{title}: {self._done:,}{of} rows, {rate}", markup=False)

    def _title(self) -> str:
        title = f"{self._name}: {self._phase}".rstrip(": ")
        if self._bar and self._phase and self._console.width < ROOMY:
            title = self._phase
        return f"{title}, {self._lookups:,} lookups" if self._lookups else title


def _bar(console: Console) -> Progress:
    # Only the bar gives way: a figure that is cut off would be a wrong one.
    return Progress(
        SpinnerColumn("line" if console.options.ascii_only else "dots"),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[rate]}", markup=False, table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
        expand=True,
    )
