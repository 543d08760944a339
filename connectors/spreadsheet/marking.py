"""A file with two columns more: whether a row's numbers are suppressed, and by what. Memory stays constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.core.errors import UsageError

from .columns import list_columns
from .companions import Layout
from .detection import open_table, survey
from .options import ScreenOptions
from .phone_cells import PhoneCells
from .screener import Cell
from .screening import Progress, check_kind, read_batches
from .target import check_target, staged

SUPPRESSED, FREE, UNREADABLE = "yes", "no", "unreadable"
COLUMNS = ("rf_suppressed", "rf_suppressed_by")

Mark = tuple[str, str]
"""What a cell, and a row, is marked with: one of the three words, and by what it is suppressed."""

_EMPTY: Mark = (FREE, "")


@dataclass(frozen=True, slots=True)
class Marked:
    """How many rows a file has, how many of them are suppressed, and how many hold a number that cannot be read."""

    rows: int
    suppressed: int
    unreadable: int


def mark_file(
    source: Path,
    target: Path,
    options: ScreenOptions,
    judge: Callable[[Sequence[Cell]], Sequence[Mark]],
    progress: Progress,
) -> Marked:
    """Mark the rows of a file in a new one, and return how many are what; every row and cell stays as it is.

    ``judge`` is given the distinct phone cells of some rows and returns what each is marked with. A row is suppressed
    where any of its phone columns is, else unreadable where any cannot be read. Raises FileError for a file that cannot
    be read or written, UsageError where no phone column is named or found, and what ``judge`` raises; the target is
    then left as it was.
    """
    check_target(source, target, force=options.force)
    table = open_table(source, options)
    check_kind(source, target, table)
    found = survey(table, options)
    if not found.phones:
        raise UsageError(
            f"No column of {source} looks like phone numbers.", f"Name one of: {list_columns(found.columns)}."
        )

    phones = tuple(column.index for column in found.phones)
    cells = PhoneCells(phones, found.country.index if found.country else None, options.region, found.codes)
    rows, counts = 0, {SUPPRESSED: 0, UNREADABLE: 0, FREE: 0}
    with staged(source, target, force=options.force) as stage, table.writer(stage, _layout(table.columns)) as writer:
        for batch, _ in read_batches(table):
            for (row, texts), mark in zip(batch, _mark([cells.read(texts) for _, texts in batch], judge), strict=True):
                writer.write(row, texts, [writer.render(mark)])
                counts[mark[0]] += 1
            rows += len(batch)
            progress(rows, max(rows, found.rows))
    return Marked(rows, counts[SUPPRESSED], counts[UNREADABLE])


def _mark(rows: list[list[Cell | None]], judge: Callable[[Sequence[Cell]], Sequence[Mark]]) -> list[Mark]:
    distinct = list(dict.fromkeys(cell for row in rows for cell in row if cell))
    marks = dict(zip(distinct, judge(distinct), strict=True)) if distinct else {}
    return [_sum_up([marks[cell] for cell in row if cell]) for row in rows]


def _sum_up(marks: Sequence[Mark]) -> Mark:
    if by := [by for said, by in marks if said == SUPPRESSED]:
        return SUPPRESSED, "; ".join(dict.fromkeys(by))
    return next((mark for mark in marks if mark[0] == UNREADABLE), _EMPTY)


def _layout(columns: Sequence[Any]) -> Layout:
    """Return where the two columns go: in the place of those of an earlier check, else behind the others."""
    existing = {str(name).strip(): index for index, name in reversed(list(enumerate(columns)))}
    replaced = tuple((existing[name], 0, place) for place, name in enumerate(COLUMNS) if name in existing)
    appended = [(place, name) for place, name in enumerate(COLUMNS) if name not in existing]
    return Layout(
        len(columns), replaced, tuple((0, place) for place, _ in appended), tuple(name for _, name in appended)
    )
