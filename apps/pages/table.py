"""Changes as a CSV file: a row for each change of a record, with a link to it. No cell of it is a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ringfence.connectors.spreadsheet.formulas import make_harmless
from ringfence.core.model.change_view import ChangeView, view_change
from ringfence.core.model.values import Change, RowResult

from .new_file import new_text_file
from .rows import NO_ANSWER, Rows

_RECORD = ("object", "id", "link", "what")
_FLAG = ("flag_from", "flag_to")
_SLOT = ("content", "rewritten_to", "status_from", "status_to", "reason")
_RESULT = ("outcome", "code", "message")

Changed = tuple[Change, RowResult | None]


def write_table(
    path: Path, changes: Iterable[Changed], rows: Rows, *, with_results: bool = False, force: bool = False
) -> int:
    """Write the changes into a new file, and return how many there are.

    ``with_results`` adds what became of each. Raises FileError where the file cannot be written or is there already.
    """
    slots = rows.roles.slots()
    header = [*_RECORD, *_FLAG, *(f"{slot}_{name}" for slot in slots for name in _SLOT), "other_fields"]
    if with_results:
        header += _RESULT

    count = 0
    with new_text_file(path, force=force) as file:
        sheet = csv.writer(file)
        sheet.writerow(header)
        for change, result in changes:
            view = view_change(change, rows.roles)
            cells = [*_cells(view, rows, slots), *(_result(result) if with_results else ())]
            sheet.writerow([make_harmless(cell) for cell in cells])
            count += 1
    return count


def _cells(view: ChangeView, rows: Rows, slots: list[str]) -> Iterator[str]:
    yield from rows.record(view.change).values()
    yield "; ".join(kind.value for kind in view.kinds)

    flag = rows.flag(view) if view.flag else {}
    yield _cell(flag.get("old"))
    yield _cell(flag.get("new"))

    rewritten = {row["field"]: row for row in rows.rewrites(view)}
    changed = {slot.slot: rows.slot(slot) for slot in view.slots}
    for slot in slots:
        phone, companions = rewritten.get(slot, {}), changed.get(slot, {})
        yield _cell(phone.get("old") or companions.get("content"))
        yield _cell(phone.get("new"))
        yield from (_cell(companions.get(name)) for name in ("from", "to", "reason"))

    fields = rows.change(view.change, None)["fields"] if view.others else {}
    yield "; ".join(f"{item.field}: {_cell(fields[item.field]['new'])}" for item in view.others)


def _result(result: RowResult | None) -> list[str]:
    return [result.outcome.value, result.code, result.message] if result else [NO_ANSWER, "", ""]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
