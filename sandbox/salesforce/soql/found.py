"""What a query has found, and how answers show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..schema import FieldType
from ..table import Row, Value
from .paths import Getter, Path, Step

Shown = dict[str, object]
Address = Callable[[str], str]
"""From a path below the API's version to the address that answers show."""


@dataclass(frozen=True, slots=True)
class Column:
    """One selected field: the relationships and the field that lead to it, its type, and its value of a row."""

    names: tuple[str, ...]
    type: FieldType
    get: Getter
    steps: tuple[Step, ...] = ()

    @property
    def header(self) -> str:
        """Its name in a CSV file."""
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Children:
    """A selected query of children: the name of the relationship, and what it finds for one parent."""

    name: str
    of: Callable[[str], Found]


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a query: the rows in order, and how to show them.

    `count` is set for COUNT() alone, `figures` for a query that answers with figures.
    """

    object_name: str
    columns: tuple[Column, ...] = ()
    rows: list[Row] = field(default_factory=list)
    children: tuple[Children, ...] = ()
    count: int | None = None
    figures: list[Shown] | None = None

    @property
    def headers(self) -> tuple[str, ...]:
        """The names of the columns in a CSV file."""
        return tuple(column.header for column in self.columns)


def column(path: Path) -> Column:
    """Return the column of a path."""
    return Column(path.names, path.field.type, path.getter, path.steps)


def show(found: Found, address: Address, rows: Iterable[Row]) -> list[Shown]:
    """Return rows as answers show them: attributes first, then the fields in the order of the query."""
    plain = [(each.names[0], each.names[0]) for each in found.columns if not each.steps]
    if len(plain) == len(found.columns) and not found.children:
        names = tuple(name for name, _ in plain)
        return [
            {**_attributes(found.object_name, row, address), **dict(zip(names, map(row.get, names), strict=True))}
            for row in rows
        ]
    return [_show_row(found, address, row) for row in rows]


def _show_row(found: Found, address: Address, row: Row) -> Shown:
    shown = _attributes(found.object_name, row, address)
    for each in found.columns:
        if each.steps:
            _show_parent(shown, each, row, address)
        else:
            shown[each.names[0]] = row.get(each.names[0])

    for kin in found.children:
        inner = kin.of(str(row["Id"]))
        records = show(inner, address, inner.rows)
        shown[kin.name] = {"totalSize": len(records), "done": True, "records": records} if records else None
    return shown


def _show_parent(shown: Shown, each: Column, row: Row, address: Address) -> None:
    """Add a parent's field, within an object of its own for each relationship; null where there is no parent."""
    level, at = shown, row
    for step in each.steps:
        parent = step.table.rows.get(str(at[step.reference]))
        if parent is None:
            level[step.name] = None
            return

        inner = level.setdefault(step.name, _attributes(step.table.spec.name, parent, address))
        assert isinstance(inner, dict)  # noqa: S101  # tells the type checker what was set above
        level, at = inner, parent
    level[each.names[-1]] = at.get(each.names[-1])


def _attributes(object_name: str, row: Row, address: Address) -> Shown:
    return {"attributes": {"type": object_name, "url": address(f"/sobjects/{object_name}/{row['Id']}")}}


def value_of(figure: Value) -> Value:
    """Return a figure as JSON shows it: whole numbers without a fraction."""
    return int(figure) if isinstance(figure, float) and figure.is_integer() else figure
