"""One batch of an ingest job: its CSV rows are written or refused by the same rules as any other write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from .access import Access
from .errors import ApiError, RowError
from .journal import Journal
from .schema import TEXT_TYPES, FieldSpec
from .state import OrgState, RefuseRow
from .table import Value
from .values import read_value
from .writes import Author, check_triggers, create_values, delete_row, update_values

NULL = "#N/A"
CHUNK = 200
"""Rows of a batch that triggers see together."""
_WORDS = {"true": True, "1": True, "false": False, "0": False}
Cells = list[str]
Reader = Callable[[str], Value]


@dataclass(slots=True)
class Outcome:
    """The result rows of a batch, with the two columns of the service before the uploaded ones."""

    written: list[Cells] = field(default_factory=list)
    refused: list[Cells] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Columns:
    """The header of an upload: where the key stands (None: nowhere), and how the cells of other columns are read."""

    key: int | None
    fields: tuple[tuple[int, str, Reader], ...]
    width: int

    @classmethod
    def of(cls, access: Access, names: Sequence[str], key_name: str = "Id") -> Columns:
        """Return the columns of a header; raises ValueError with the service's words for a name that is no field."""
        fields: list[tuple[int, str, Reader]] = []
        for at, name in enumerate(names):
            found = access.visible.get(name.lower())
            if found is None:
                raise ValueError(f"InvalidBatch : Field name not found : {name}")
            if found.name in [known for _, known, _ in fields]:
                raise ValueError(f"InvalidBatch : Field name {name} is given more than once")
            fields.append((at, found.name, _reader(found)))
        key = next((at for at, name, _ in fields if name == key_name), None)
        return cls(key, tuple(entry for entry in fields if entry[0] != key), len(names))

    def values(self, cells: Cells) -> dict[str, Value]:
        """Return the values that a row sets: an empty cell sets nothing, `#N/A` sets null. Raises ApiError."""
        return {name: read(cells[at]) for at, name, read in self.fields if cells[at]}


class _Committed(Journal):
    """An undo list that stays empty: what a job has written is not rolled back."""

    def note(self, reversal: Callable[[], None]) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class BatchRules:
    """How the rows of a job are written: object, columns, and the rules that held when it was queued."""

    object_name: str
    columns: Columns
    assigns: bool
    refuse_row: RefuseRow | None
    operation: str = "update"
    key: str = "Id"


def write_rows(org: OrgState, rules: BatchRules, rows: Sequence[Cells]) -> Outcome:
    """Write the rows of a batch, and return what became of each."""
    outcome = Outcome()
    author = Author(org.user_id, rules.assigns, _Committed())
    before, org.refuse_row = org.refuse_row, rules.refuse_row

    try:
        for start in range(0, len(rows), CHUNK):
            _write_chunk(org, rules, rows[start : start + CHUNK], author, outcome)
    finally:
        org.refuse_row = before

    return outcome


def _write_chunk(org: OrgState, rules: BatchRules, rows: Sequence[Cells], author: Author, outcome: Outcome) -> None:
    """Write the rows that triggers see together."""
    try:
        check_triggers(org, rules.object_name, len(rows))
    except RowError as error:
        outcome.refused += [["", error_text(error), *cells] for cells in rows]
        return

    for cells in rows:
        try:
            row_id, created = _write(org, rules, cells, author)
        except RowError as error:
            outcome.refused.append(["", error_text(error), *cells])
        else:
            outcome.written.append([row_id, "true" if created else "false", *cells])


def _write(org: OrgState, rules: BatchRules, cells: Cells, author: Author) -> tuple[str, bool]:
    """Write one row; return its id, and whether it is a new one."""
    columns, name = rules.columns, rules.object_name
    if len(cells) > columns.width:
        raise RowError("INVALID_CSV_ROW", f"The row has {len(cells)} columns, the header {columns.width}")

    key = "" if columns.key is None else cells[columns.key]
    if rules.operation == "insert":
        if key:
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
    elif not key and not (rules.operation == "upsert" and rules.key == "Id"):
        raise RowError("MISSING_ARGUMENT", f"{rules.key} not specified in an {rules.operation} call", (rules.key,))

    try:
        row_id = _find(org, rules, key)
        if rules.operation == "delete":
            delete_row(org, name, row_id, author)
            return row_id, False
        if row_id:
            return update_values(org, name, row_id, columns.values(cells), author), False
        given = {} if rules.key == "Id" else {rules.key: key}
        return create_values(org, name, {**columns.values(cells), **given}, author), True
    except ApiError as error:
        raise RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", error.message) from error


def _find(org: OrgState, rules: BatchRules, key: str) -> str:
    """Return the id of the row that a key names; nothing where a new one is to be made."""
    if rules.key == "Id":
        return key
    rows = (row for row in org.table(rules.object_name).scan() if row["IsDeleted"] is not True)
    found = [str(row["Id"]) for row in rows if str(row[rules.key] or "").lower() == key.lower()]
    if len(found) > 1:
        raise RowError("DUPLICATE_EXTERNAL_ID", f"{rules.key}: more than one record found for external id field")
    return found[0] if found else ""


def error_text(error: RowError) -> str:
    """Return a refusal in the form of failedResults: `CODE:message:fields --`."""
    fields = ", ".join(error.fields)
    return f"{error.code}:{error.message}:{fields}{' ' if fields else ''}--"


def _reader(spec: FieldSpec) -> Reader:
    if spec.type in TEXT_TYPES:
        return lambda cell: None if cell == NULL else cell.strip() or None

    @lru_cache(maxsize=256)  # the moments and words of a column are mostly the same few
    def read(cell: str) -> Value:
        if cell == NULL:
            return None
        return read_value(spec, _WORDS.get(cell.lower(), cell) if spec.type == "boolean" else cell)

    return read
