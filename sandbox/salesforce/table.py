"""The rows of one object, kept in the order of their ids."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from .ids import new_ids, scattered_ids
from .schema import ObjectSpec

Value = str | bool | int | float | None


class Row(dict[str, Value]):
    """Field name -> JSON-ready value; a field that was never set reads as None."""

    __slots__ = ()

    def __missing__(self, name: str) -> Value:
        """Return None for a field without a value."""
        return None


class Table:
    """All rows of an object, deleted ones included."""

    def __init__(self, spec: ObjectSpec, *, scattered: bool = False) -> None:
        self.spec = spec
        self.rows: dict[str, Row] = {}
        self._order: list[str] = []
        self._ids = scattered_ids(spec.prefix) if scattered else new_ids(spec.prefix)

    def insert(self, row: Row) -> str:
        """Add a row under the next id, and return the id."""
        row_id = next(self._ids)
        row["Id"] = row_id
        self.rows[row_id] = row
        if self._order and row_id < self._order[-1]:
            insort(self._order, row_id)
        else:
            self._order.append(row_id)
        return row_id

    def remove(self, row_id: str) -> None:
        """Remove a row for good, as a hard delete or the rollback of its creation does."""
        del self.rows[row_id]
        del self._order[bisect_left(self._order, row_id)]

    def restore(self, row: Row) -> None:
        """Add a row again that was removed."""
        row_id = str(row["Id"])
        self.rows[row_id] = row
        insort(self._order, row_id)

    def scan(self, above: str | None = None, inclusive: bool = False) -> Iterator[Row]:
        """Yield rows in ascending id order, only those above an 18-character id when one is given."""
        start = 0
        if above is not None:
            start = (bisect_left if inclusive else bisect_right)(self._order, above)
        rows = self.rows
        return (rows[row_id] for row_id in self._order[start:])
