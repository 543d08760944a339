"""Duplicate rules: what becomes of a row that is given the phone number of another (salesforce.md, section 2.6)."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import RowError
from .state import OrgState
from .table import Row, Table, Value


def refuse_duplicate(org: OrgState, table: Table, row: Row, values: Mapping[str, Value], *, saves: bool) -> None:
    """Raise RowError where the rule of the object matches; one that alerts lets a row pass that `saves`, as people may.

    A rule looks at the fields that are being changed, and compares digits alone.
    """
    rule = org.traits.duplicate_rules.get(table.spec.name)
    if rule is None or (rule == "alert" and saves):
        return

    changed = {
        name
        for name, value in values.items()
        if table.spec.fields[name].type == "phone" and value and value != row[name]
    }
    if any(_has_twin(table, row, name, _digits(values[name])) for name in changed):
        text = "You're creating a duplicate record. We recommend you use an existing record instead."
        raise RowError("DUPLICATES_DETECTED", text)


def _has_twin(table: Table, row: Row, name: str, digits: str) -> bool:
    others = (other for other in table.scan() if other["Id"] != row["Id"] and other["IsDeleted"] is not True)
    return any(_digits(other[name]) == digits for other in others)


def _digits(value: Value) -> str:
    return "".join(sign for sign in str(value or "") if sign.isdigit())[-10:]
