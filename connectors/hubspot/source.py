"""One mapped object as a source of records: how its rows are read, and the mapping's filter."""

from __future__ import annotations

from dataclasses import dataclass

from .fields import RowReader
from .filters import Group


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """One object: the reader of its rows, and the mapping's filter, empty where there is none."""

    rows: RowReader
    scope: Group

    @property
    def name(self) -> str:
        """Return the object's name."""
        return self.rows.shape.name
