"""How far a long command has come: a bar on a terminal, a plain line now and then otherwise."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

LINE_EVERY_S = 5.0
LONGEST_NAME = 30
ROOMY = 110
"""Columns from which the bar's line has room for the name of the command, which stands above it anyway."""


class RunProgress:
    """Shows rows, rate and time left; see :class:`ringfence.core.runs.sync.Progress`."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        self._bar = _bar(console) if console.is_terminal else None
        self._task = self._bar.add_task(name, total=None, rate="") if self._bar else None
        self._phase = ""
        self._total: int | None = None
        self._done = self._lookups = 0
        self._started = self._said = time.monotonic()

    def phase(self, name: str, total: int | None = None) -> None:
        """A part of the work begins, or tells its size."""
        if name == self._phase and total == self._total:
            return
        if name != self._phase:
            self._done = 0
            self._started = time.monotonic()
        self._phase, self._total = name, total
        self._show()

    def advance(self, records: int) -> None:
        """So many more records are read."""
        self._done += records
        self._show()

    def bought(self, lookups: int) -> None:
        """So many lookups have been bought so far."""
        self._lookups = lookups
        self._show()

    def at(self, done: int, total: int) -> None:
        """So many of so many rows are done."""
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
        rate = self._done / max(now - self._started, 0.001)
        words = f"{self._name}: {self._phase}".rstrip(": ")
        if self._bar and self._phase and self._console.width < ROOMY:
            words = self._phase
        if self._lookups:
            words += f", {self._lookups:,} lookups"
        if self._bar and self._task is not None:
            shown = f"{rate:,.0f} rows/s" if self._done else ""
            self._bar.update(self._task, description=words, total=self._total, completed=self._done, rate=shown)
        elif self._done and now - self._said >= LINE_EVERY_S:
            self._said = now
            of = f" of {self._total:,}" if self._total else ""
            self._console.print(f"{words}: {self._done:,}{of} rows, {rate:,.0f} rows/s", markup=False)


def _bar(console: Console) -> Progress:
    # Only the bar gives way: a figure that is cut off would be a wrong one.
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
        expand=True,
    )
