"""The screening of a file: a first pass collects its opt-outs, a second one screens and writes it in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ringfence.core.clock import SystemClock, whole_seconds
from ringfence.core.errors import UsageError
from ringfence.core.ports.services import Clock

from .batch_screening import BatchScreening, ColumnSummary
from .columns import list_columns
from .companions import plan_layout
from .detection import Detection, open_table, survey
from .opt_outs import FlagColumn, OptOuts
from .options import ScreenOptions
from .phone_cells import PhoneCells
from .screener import Screener
from .table import Table
from .target import check_target, staged

BATCH_ROWS = 5000
_BATCH_SIZE = 8 * 1024 * 1024


R = TypeVar("R")
Progress = Callable[[int, int], None]
"""Called with (rows done, rows expected), and with (0, rows expected) while the opt-outs are being collected."""


@dataclass(slots=True)
class Summary:
    """What a screening did: how many rows opted out, with how many numbers; ``size`` is the result's, in bytes.

    ``opted_out_cells`` counts the texts of opted-out cells that nobody can read, which silence the same text elsewhere.
    ``unclear_opt_outs`` counts, by their text, the cells that were read as opt-outs for want of a plain word.
    ``unread_countries`` counts, by their text, the country cells that name no country. ``overlooked`` tells of
    opt-outs that were met in columns that are not used, behind the rows by which the columns were found.
    """

    source: Path
    target: Path
    rows: int
    columns: tuple[ColumnSummary, ...]
    opted_out_rows: int
    opted_out_numbers: int
    opted_out_cells: int
    size: int
    unclear_opt_outs: Counter[str]
    unread_countries: Counter[str]
    notes: tuple[str, ...]
    overlooked: tuple[str, ...]

    @property
    def repaired(self) -> int:
        """Return how many cells gave a number only after a repair."""
        return sum(column.repaired for column in self.columns)

    @property
    def no_region(self) -> int:
        """Return how many cells are unknown because their country is."""
        return sum(column.no_region for column in self.columns)


def screen_file(
    source: Path,
    target: Path,
    options: ScreenOptions,
    screener: Screener,
    progress: Progress,
    clock: Clock | None = None,
) -> Summary:
    """Screen a file into a new one with the companion columns of each phone column, and return what was found.

    Rows keep their order and every cell its content; companions left by an earlier screening are updated in place.
    A row that opted out silences its numbers in the whole file, and these are never given to the screener.

    Raises FileError for a file that cannot be read or written, UsageError when no phone column is named or found, and
    whatever the screener raises. Whatever is raised, an interrupt included, the target is left as it was.
    """
    check_target(source, target, force=options.force)
    table = open_table(source, options)
    check_kind(source, target, table)
    found = survey_phones(table, options)
    cells, opt_outs = _read_by(found, options, clock or SystemClock())

    with staged(source, target, force=options.force) as stage:
        _collect_opt_outs(table, found.rows, cells, opt_outs, progress)
        with table.writer(stage, plan_layout(table.columns, cells.phones)) as writer:
            batches = BatchScreening(found, cells, opt_outs, screener, writer)
            rows = _screen_rows(table, batches, progress)
        progress(rows, rows)

    return Summary(
        source=source,
        target=target,
        rows=rows,
        columns=batches.columns,
        opted_out_rows=opt_outs.rows,
        opted_out_numbers=opt_outs.known,
        opted_out_cells=len(opt_outs.numbers) - opt_outs.known,
        size=target.stat().st_size,
        unclear_opt_outs=opt_outs.unclear,
        unread_countries=batches.unread_countries,
        notes=found.notes,
        overlooked=tuple(batches.overlooked.notes()),
    )


def rehearse_file(
    source: Path, options: ScreenOptions, screener: Screener, progress: Progress, clock: Clock | None = None
) -> int:
    """Give the screener all that :func:`screen_file` would, write nothing, and return how many rows there are.

    Raises as that does, but for a target.
    """
    table = open_table(source, options)
    found = survey_phones(table, options)
    cells, opt_outs = _read_by(found, options, clock or SystemClock())

    _collect_opt_outs(table, found.rows, cells, opt_outs, progress)
    rows = _screen_rows(table, BatchScreening(found, cells, opt_outs, screener, _Nowhere()), progress)
    progress(rows, rows)
    return rows


class _Nowhere:
    """See :class:`ringfence.connectors.spreadsheet.table.TableWriter`; what it is given is dropped."""

    def render(self, values: Sequence[str]) -> tuple[str, ...]:
        return tuple(values)

    def write(self, row: Any, cells: list[str], additions: Sequence[Sequence[str]], /) -> None:
        pass


def survey_phones(table: Table[Any], options: ScreenOptions) -> Detection:
    """Return what was found in a table. Raises UsageError where none of its columns looks like phone numbers."""
    found = survey(table, options)
    if not found.phones:
        raise UsageError(
            f"No column of {table.path} looks like phone numbers.",
            f"Name one with --phone, or what was not seen: {_unseen(found)}. "
            f"The columns are: {list_columns(found.columns)}.",
        )
    return found


def _read_by(found: Detection, options: ScreenOptions, clock: Clock) -> tuple[PhoneCells, OptOuts]:
    """Return what reads the phones and the opt-outs of a row."""
    phones = tuple(column.index for column in found.phones)
    cells = PhoneCells(phones, found.country.index if found.country else None, options.region, found.codes)
    flags = tuple(FlagColumn.of(column.index, column.name, inverse=column.inverse) for column in found.opt_outs)
    return cells, OptOuts(flags, whole_seconds(clock.now()))


def _unseen(found: Detection) -> str:
    """Return the options for what may hide the phone columns of a file."""
    options = ["the row of the header with --header-row"]
    if found.format["kind"] == "csv" and len(found.columns) == 1:
        options.append("what separates the columns with --delimiter")
    return ", ".join(options)


def check_kind(source: Path, target: Path, table: Table[Any]) -> None:
    """Raise UsageError where the result would be of another kind than the file."""
    is_excel, will_be_excel = table.format["kind"] == "xlsx", target.suffix.lower() == ".xlsx"
    if will_be_excel and not is_excel:
        raise UsageError(f"{source} is CSV and {target} would be Excel.", "The result has the kind of the input.")
    if is_excel and not will_be_excel:
        raise UsageError(f"{source} is Excel and {target} would not be.", "The result has the kind of the input.")


def _screen_rows(table: Table[R], batches: BatchScreening[R], progress: Progress) -> int:
    """Screen and write every row, and return how many there were."""
    rows = size = 0
    for batch, batch_size in read_batches(table):
        batches.process(batch)
        rows, size = rows + len(batch), size + batch_size
        progress(rows, table.estimate(rows, size))
    return rows


def _collect_opt_outs(
    table: Table[Any], expected: int, cells: PhoneCells, opt_outs: OptOuts, progress: Progress
) -> None:
    if not opt_outs.columns:
        return
    for batch, _ in read_batches(table):
        for _, row in batch:
            opt_outs.collect(row, cells.read(row))
        progress(0, expected)


def read_batches(table: Table[R]) -> Iterator[tuple[list[tuple[R, list[str]]], int]]:
    """Yield batches with their size in characters; both rows and text are bounded, for cells may be large."""
    batch: list[tuple[R, list[str]]] = []
    size = 0
    for row in table.rows():
        batch.append(row)
        size += len(",".join(row[1])) + 1
        if len(batch) >= BATCH_ROWS or size >= _BATCH_SIZE:
            yield batch, size
            batch, size = [], 0

    if batch:
        yield batch, size
