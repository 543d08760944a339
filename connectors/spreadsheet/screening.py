"""The screening of a file: a first pass collects its opt-outs, a second one screens and writes it in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from ringfence.core.clock import SystemClock, whole_seconds
from ringfence.core.errors import UsageError
from ringfence.core.model.reasons import Reason, format_reason
from ringfence.core.model.verdicts import Status
from ringfence.core.numbers import ReasonCode
from ringfence.core.ports.services import Clock

from .columns import list_columns
from .companions import EMPTY, companion_values, plan_layout
from .detection import Detection, open_table, survey
from .formulas import UNCALCULATED
from .opt_outs import FlagColumn, OptOuts
from .options import ScreenOptions
from .overlooked import OverlookedFlags
from .phone_cells import PhoneCells
from .screener import Cell, CellVerdict, Screener
from .table import Table, TableWriter
from .target import check_target, staged

BATCH_ROWS = 5000
_BATCH_SIZE = 8 * 1024 * 1024

_NO_REGION = f"{ReasonCode.NO_REGION}:"
_MOST_TEXTS = 1000
_LONGEST_TEXT = 60

R = TypeVar("R")
Progress = Callable[[int, int], None]
"""Called with (rows done, rows expected), and with (0, rows expected) while the opt-outs are being collected."""

_Key = tuple[str, str | None, bool]
"""A distinct cell: its text, its region, and whether its row opted out."""


@dataclass(slots=True)
class ColumnSummary:
    """How many cells of one phone column have which status; ``empty`` and ``deferred`` cells have none.

    ``no_region`` counts those of the unknown ones that are national numbers of an unknown country.
    """

    name: str
    statuses: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    deferred: int = 0
    repaired: int = 0
    no_region: int = 0


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
    found = survey(table, options)
    if not found.phones:
        raise UsageError(
            f"No column of {source} looks like phone numbers.",
            f"Name one with --phone, or what was not seen: {_unseen(found)}. "
            f"The columns are: {list_columns(found.columns)}.",
        )

    phones = tuple(column.index for column in found.phones)
    now = whole_seconds((clock or SystemClock()).now())
    cells = PhoneCells(phones, found.country.index if found.country else None, options.region, found.codes)
    opt_outs = OptOuts(
        tuple(FlagColumn.of(column.index, column.name, inverse=column.inverse) for column in found.opt_outs), now
    )
    with staged(source, target, force=options.force) as stage:
        _collect_opt_outs(table, found.rows, cells, opt_outs, progress)
        with table.writer(stage, plan_layout(table.columns, phones)) as writer:
            batches = _BatchScreening(found, cells, opt_outs, screener, writer)
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


def _screen_rows(table: Table[R], batches: _BatchScreening[R], progress: Progress) -> int:
    """Screen and write every row, and return how many there were."""
    rows = size = 0
    for batch, batch_size in read_batches(table):
        batches.process(batch)
        rows, size = rows + len(batch), size + batch_size
        progress(rows, table.estimate(rows, size))
    return rows


class _BatchScreening(Generic[R]):
    """Screens the batches of one file and writes their rows; ``columns`` counts what became of the cells."""

    def __init__(
        self,
        found: Detection,
        cells: PhoneCells,
        opt_outs: OptOuts,
        screener: Screener,
        writer: TableWriter[R],
    ) -> None:
        self.columns = tuple(ColumnSummary(column.name) for column in found.phones)
        self.unread_countries: Counter[str] = Counter()
        self.overlooked = OverlookedFlags(found.roles)
        self._cells = cells
        self._opt_outs = opt_outs
        self._screener = screener
        self._writer = writer
        self._empty = writer.render(EMPTY)

    def process(self, batch: list[tuple[R, list[str]]]) -> None:
        """Screen the distinct cells of a batch, write its rows and count them."""
        self.overlooked.watch([cells for _, cells in batch])
        keys = [self._keys(cells) for _, cells in batch]
        verdicts = self._judge(dict.fromkeys(key for row_keys in keys for key in row_keys if key))

        rendered = {
            key: self._writer.render(companion_values(key[0], verdict)) if verdict else self._empty
            for key, verdict in verdicts.items()
        }
        for (row, cells), row_keys in zip(batch, keys, strict=True):
            self._writer.write(row, cells, [rendered[key] if key else self._empty for key in row_keys])

        # Where no phone is filled, nobody misses the country.
        self._note_countries(cells for (_, cells), row_keys in zip(batch, keys, strict=True) if any(row_keys))
        for column, summary in enumerate(self.columns):
            for key, count in Counter(row_keys[column] for row_keys in keys).items():
                _count(summary, count, empty=key is None, verdict=verdicts[key] if key else None)

    def _note_countries(self, rows: Iterable[list[str]]) -> None:
        for text in filter(None, map(self._cells.unread_country, rows)):
            shown = text[:_LONGEST_TEXT]
            if shown in self.unread_countries or len(self.unread_countries) < _MOST_TEXTS:
                self.unread_countries[shown] += 1

    def _keys(self, row: list[str]) -> list[_Key | None]:
        flagged = self._opt_outs.is_flagged(row)
        return [(*cell, flagged) if cell else None for cell in self._cells.read(row)]

    def _judge(self, verdicts: dict[_Key, CellVerdict | None]) -> dict[_Key, CellVerdict | None]:
        """Fill in the verdict on each cell: the opt-outs' where one covers it, else the screener's."""
        if self._opt_outs.rows:
            for text, region, flagged in verdicts:
                verdicts[text, region, flagged] = self._opt_outs.silence((text, region), flagged=flagged)

        to_screen = [key for key, verdict in verdicts.items() if verdict is None]
        cells: list[Cell] = [(text, region) for text, region, _ in to_screen]
        screened = self._screener.screen(cells) if cells else ()
        for key, cell, verdict in zip(to_screen, cells, screened, strict=True):
            verdicts[key] = self._opt_outs.enforce(cell, _as_readable(cell, verdict))
        return verdicts


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


def _as_readable(cell: Cell, verdict: CellVerdict | None) -> CellVerdict | None:
    """Return the verdict, which for a formula that nobody has calculated cannot be that no such number exists."""
    if verdict is None or cell[0] != UNCALCULATED:
        return verdict
    return replace(verdict, status=Status.UNKNOWN.value, reason=format_reason(Reason(ReasonCode.AMBIGUOUS)))


def _count(summary: ColumnSummary, count: int, *, empty: bool, verdict: CellVerdict | None) -> None:
    if empty:
        summary.empty += count
    elif verdict is None:
        summary.deferred += count
    else:
        summary.statuses[verdict.status] += count
        summary.repaired += count * verdict.repaired
        summary.no_region += count * (verdict.status == Status.UNKNOWN and verdict.reason.startswith(_NO_REGION))
