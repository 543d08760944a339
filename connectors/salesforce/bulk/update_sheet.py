"""Changes as the rows of an update job's CSV file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from ringfence.core.model.values import Change, Value

from ..fields import write_value
from .csv_sheet import Sheet, SheetBuilder

NULL = "#N/A"
"""The cell that empties a field; an empty cell leaves the field as it is."""

ID = "Id"


class UpdateSheet:
    """The file of an update job: one change a row. A field without a cell stays as it is in Salesforce.

    ``columns`` are the fields that a row may change. ``unsupported`` collects the changes that no row can express: a
    field of theirs is no column, :func:`write_cell` gives None, or a text cannot be encoded.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.unsupported: list[Change] = []
        self._column_order = _ColumnOrder(columns)
        self._builder = SheetBuilder()
        self._builder.add([(ID, *columns)])

    def add(self, changes: Sequence[Change]) -> None:
        """Add a row for each of the changes, or put it among the unsupported."""
        before = len(self.unsupported)
        try:
            self._builder.add(self._rows(changes))
        except UnicodeEncodeError:
            # A text was cut off inside a surrogate pair: too rare to test every text for it in advance.
            del self.unsupported[before:]
            self.unsupported += [change for change in changes if not _is_encodable(change)]
            self._builder.add(self._rows(filter(_is_encodable, changes)))

    def finish(self) -> Sheet:
        """Return the file; nothing can be added after that."""
        return self._builder.finish()

    def _rows(self, changes: Iterable[Change]) -> Iterator[Sequence[str]]:
        for change in changes:
            arrange = self._column_order[change.names]
            # A text that begins with a printable character behind "#" needs no conversion; to see that here spares most
            # of the calls, and a first sync writes millions of cells.
            cells = [v if v.__class__ is str and "$" <= v < "\x7f" else write_cell(v) for v in change.new]

            if arrange is None or None in cells:
                self.unsupported.append(change)
            else:
                yield arrange((change.id, *cells, ""))


def write_cell(value: Value) -> str | None:
    """Return a value as a cell; an empty text empties the field, as it does elsewhere.

    None where no cell can express it: a text that looks like the mark of emptiness, or consists of spaces, would arrive
    as something else.
    """
    if value is None or value == "":
        return NULL
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return str(write_value(value))
    return None if value.strip() in ("", NULL) else value


class _ColumnOrder(dict[tuple[str, ...], Callable[[Sequence[Any]], Sequence[str]] | None]):
    """By names of fields, the function that puts (id, their cells, an empty cell) into the order of the columns.

    None where a field is no column. Few combinations of fields occur, so each is worked out once.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__()
        self._columns = columns

    def __missing__(self, names: tuple[str, ...]) -> Callable[[Sequence[Any]], Sequence[str]] | None:
        positions = {name: position for position, name in enumerate(names, start=1)}
        in_order = [0, *(positions.get(name, -1) for name in self._columns)]

        known = positions.keys() <= set(self._columns)
        arrange = self[names] = itemgetter(*in_order) if known and self._columns else None
        return arrange


def _is_encodable(change: Change) -> bool:
    try:
        for value in change.new:
            str(value).encode()
    except UnicodeEncodeError:
        return False
    return True
