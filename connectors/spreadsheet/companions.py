"""The companion columns of a phone column: their names, their place, their content (contract.md, sections 2 and 4).

A file has the six of a CRM and a seventh, which says *yes* or *no* to calling.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from ringfence.core.model.record_view import screened_value
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import CALLABLE

from .screener import CellVerdict

T = TypeVar("T")

COMPANIONS = (*(companion.value for companion in Companion), "callable")
_OURS = re.compile(rf"rf_.*_(?:{'|'.join(COMPANIONS)})")
EMPTY = ("",) * len(COMPANIONS)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the companions go in a table of ``width`` columns.

    ``replaced`` holds (column, phone, companion) for the columns that an earlier screening wrote. ``appended`` holds
    (phone, companion), and ``appended_names`` the headers, of the new columns behind the last one.
    """

    width: int
    replaced: tuple[tuple[int, int, int], ...]
    appended: tuple[tuple[int, int], ...]
    appended_names: tuple[str, ...]

    def place(self, cells: Sequence[T], additions: Sequence[Sequence[T]], empty: T) -> list[T]:
        """Return the row with its companions in place.

        ``additions`` holds the values of the companions per phone column. A short row is filled up to the new columns;
        cells of a long row beyond the last column stay behind them.
        """
        row = [*cells, *[empty] * (self.width - len(cells))]
        for column, phone, companion in self.replaced:
            row[column] = additions[phone][companion]
        row[self.width : self.width] = [additions[phone][companion] for phone, companion in self.appended]
        return row


def is_companion(name: str) -> bool:
    """Return whether a column of that name is one that a screening writes."""
    return _OURS.fullmatch(name.strip().lower()) is not None


def screened_columns(columns: Sequence[str]) -> frozenset[int]:
    """Return the places of the columns that have the companions of an earlier screening."""
    there = set(columns)
    return frozenset(index for index, name in enumerate(columns) if f"rf_{_stem(name)}_{Companion.STATUS}" in there)


def plan_layout(columns: Sequence[str], phones: Sequence[int]) -> Layout:
    """Return where the companions go, given the names of all columns and the places of the phone columns."""
    existing = {name.strip(): index for index, name in reversed(list(enumerate(columns)))}
    replaced, appended, names = [], [], []
    for phone, stem in enumerate(_stems(columns, phones)):
        for place, companion in enumerate(COMPANIONS):
            name = f"rf_{stem}_{companion}"
            if name in existing:
                replaced.append((existing[name], phone, place))
            else:
                appended.append((phone, place))
                names.append(name)
    return Layout(len(columns), tuple(replaced), tuple(appended), tuple(names))


def companion_values(text: str, verdict: CellVerdict) -> tuple[str, ...]:
    """Return the companions of a cell with that raw text, in their order; last screened in whole seconds UTC."""
    return (
        verdict.status,
        verdict.reason,
        verdict.e164 or "",
        verdict.line_type,
        screened_value(text),
        _stamp(verdict.last_screened),
        "yes" if verdict.status in CALLABLE else "no",
    )


@lru_cache(maxsize=256)
def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stem(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name.strip().lower())


def _stems(columns: Sequence[str], phones: Sequence[int]) -> list[str]:
    """Return a name for each phone column; those that would share one are numbered, so that none shares a companion."""
    taken: set[str] = set()
    copies: Counter[str] = Counter()
    stems: list[str] = []
    for index in phones:
        stem = plain = _stem(columns[index])
        while stem in taken:
            copies[plain] += 1
            stem = f"{plain}_{copies[plain] + 1}"
        taken.add(stem)
        stems.append(stem)
    return stems
