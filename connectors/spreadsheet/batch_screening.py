"""The screening of a file's batches: distinct cells to verdicts, rows with their companions, and the counts of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from ringfence.core.model.reasons import Reason, format_reason
from ringfence.core.model.verdicts import Status
from ringfence.core.numbers import ReasonCode

from .companions import EMPTY, companion_values
from .detection import Detection
from .formulas import UNCALCULATED
from .opt_outs import OptOuts
from .overlooked import OverlookedFlags
from .phone_cells import PhoneCells
from .screener import Cell, CellVerdict, Screener
from .table import TableWriter

_NO_REGION = f"{ReasonCode.NO_REGION}:"
_MOST_TEXTS = 1000
_LONGEST_TEXT = 60

R = TypeVar("R")

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


class BatchScreening(Generic[R]):
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
        verdicts = self._judge(Counter(key for row_keys in keys for key in row_keys if key))

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

    def _judge(self, met: Counter[_Key]) -> dict[_Key, CellVerdict | None]:
        """Return the verdict on each cell: the opt-outs' where one covers it, else the screener's."""
        verdicts: dict[_Key, CellVerdict | None] = dict.fromkeys(met)
        if self._opt_outs.rows:
            for text, region, flagged in verdicts:
                verdicts[text, region, flagged] = self._opt_outs.silence((text, region), flagged=flagged)

        to_screen = [key for key, verdict in verdicts.items() if verdict is None]
        cells: list[Cell] = [(text, region) for text, region, _ in to_screen]
        screened = self._screener.screen(cells, [met[key] for key in to_screen]) if cells else ()
        for key, cell, verdict in zip(to_screen, cells, screened, strict=True):
            verdicts[key] = self._opt_outs.enforce(cell, _as_readable(cell, verdict))
        return verdicts


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
