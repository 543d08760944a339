"""How far a long command has come: a bar on a terminal, a plain line now and then otherwise."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from ..printable import printable

FIRST_LINE_AFTER_S, LINE_EVERY_S = 5.0, 60.0
"""Pauses between lines where there is no terminal: they grow from the first to the second."""

LONGEST_NAME = 30
ROOMY = 110
"""Columns from which the bar's line has room for the name of the command, which stands above it anyway."""

WIDE = 150
"""Columns from which it has room for how fast rows and lookups go as well."""


class RunProgress:
    """Shows rows, rate, lookups, what they cost and the time left on the console, under the name of the command.

    It is the progress of :class:`ringfence.apps.operations.door.Door`; shown for as long as its block lasts.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        name = printable(name)
        self._name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        self._bar = _bar(console) if console.is_terminal else None
        self._task = self._bar.add_task(name, total=None, rate="", left="") if self._bar else None
        self._phase = self._money = ""
        self._total: int | None = None
        self._done = self._lookups = 0
        self._began = self._started = self._advanced = self._printed = time.monotonic()
        self._pause = FIRST_LINE_AFTER_S

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a part of the work; called again, learn its size in records."""
        if name == self._phase and total == self._total:
            return
        if name != self._phase:
            self._done = 0
            self._started = self._advanced = time.monotonic()
        self._phase, self._total = name, total
        self._show()

    def advance(self, records: int) -> None:
        """Count so many more records as done."""
        self._done += records
        if records:
            self._advanced = time.monotonic()
        self._show()

    def bought(self, lookups: int, cost: float = 0.0, currency: str = "") -> None:
        """Show that so many lookups have been bought so far, and what they cost."""
        self._lookups = lookups
        self._money = f"{cost:,.2f} {currency}" if cost else ""
        self._show()

    def at(self, done: int, total: int) -> None:
        """Show that so many of so many rows of a file are done."""
        if done != self._done:
            self._advanced = time.monotonic()
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
        if self._bar and self._task is not None:
            self._bar.update(
                self._task,
                description=self._title(),
                total=self._total,
                completed=self._done,
                rate=self._rates(now),
                left=self._left(now),
            )
        elif (self._done or self._lookups) and now - self._printed >= self._pause:
            self._printed, self._pause = now, min(self._pause * 1.5, LINE_EVERY_S)
            figures = [self._rows(), self._rates(now), self._left(now)]
            self._console.print(f"{self._title()}: {', '.join(filter(None, figures))}", markup=False)

    def _title(self) -> str:
        if self._bar and self._phase and self._console.width < ROOMY:
            return self._phase
        return f"{self._name}: {self._phase}".rstrip(": ")

    def _rows(self) -> str:
        if not self._total:
            return f"{self._done:,} rows"
        return f"{self._done:,} of {self._total:,} rows ({min(self._done / self._total, 1):.0%})"

    def _rates(self, now: float) -> str:
        """Return how fast it goes; where money is spent, a terminal has mostly room for that alone."""
        rows = f"{self._done / max(now - self._started, 0.001):,.0f} rows/s" if self._done else ""
        if not self._lookups:
            return rows

        bought = f"{self._lookups:,} lookups"
        if self._bar and self._console.width < WIDE:
            return f"{bought} {self._money}".strip()
        pace = f"({self._lookups / max(now - self._began, 0.001):,.1f}/s)"
        return ", ".join(filter(None, (rows, f"{bought} {pace}", self._money)))

    def _left(self, now: float) -> str:
        """Return how long the rest of the rows takes at the pace so far; empty where nobody can tell.

        While a batch of lookups goes on no row is done, and the time just passes.
        """
        if not self._total or not self._done or self._done >= self._total:
            return ""
        left, behind = self._total - self._done, now - self._advanced
        seconds = (self._advanced - self._started) / self._done * left - behind
        return f"{say_time(seconds if seconds > 0 else (now - self._started) / self._done * left)} left"


def say_time(seconds: float) -> str:
    """Return a stretch of time as a person says it: ``40 s``, ``9 min``, ``2 h 5 min``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _bar(console: Console) -> Progress:
    # Only the bar gives way: a figure that is cut off would be a wrong one.
    return Progress(
        SpinnerColumn("line" if console.options.ascii_only else "dots"),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[rate]}", markup=False, table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[left]}", markup=False, table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
        expand=True,
    )
