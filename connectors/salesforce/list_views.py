"""A list view for each object, of the records with a phone number that must not be called.

The columns of standard fields have names of their own, which no API tells; those used here were seen in the metadata of
public projects. So only the record's name stands beside the companions, and an object without a known one has no list.
"""

from __future__ import annotations

from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import CALLABLE, Status

from .schema import CUSTOM

LIST_VIEW = "RF_Phones_Not_Callable"
LIST_VIEW_LABEL = "Phones: not callable"

MOST_FILTERS = 10
"""How many filters a list view has at most."""

MOST_COLUMNS = 15
"""How many columns a list view has at most."""

_NAMES = {
    "Account": ("ACCOUNT.NAME",),
    "Contact": ("FULL_NAME", "ACCOUNT.NAME"),
    "Lead": ("FULL_NAME", "LEAD.COMPANY"),
}


def define_list_view(shape: ObjectShape) -> dict[str, Any] | None:
    """Return the metadata of an object's list view, or None for an object whose columns are not known."""
    names = ("NAME",) if shape.name.endswith(CUSTOM) else _NAMES.get(shape.name)
    slots = [slot for slot in shape.slots if slot.companions[Companion.STATUS].endswith(CUSTOM)][:MOST_FILTERS]
    if names is None or not slots:
        return None

    statuses = [slot.companions[Companion.STATUS] for slot in slots]
    others = [slot.companions[one] for slot in slots for one in (Companion.REASON, Companion.LAST_SCREENED)]
    known = [name for name in (*statuses, *others) if name.endswith(CUSTOM)]

    values = ",".join(status for status in Status if status not in CALLABLE)
    body: dict[str, Any] = {"fullName": LIST_VIEW}
    if len(slots) > 1:
        body["booleanFilter"] = " OR ".join(str(number + 1) for number in range(len(slots)))
    return {
        **body,
        "columns": [*names, *known][:MOST_COLUMNS],
        "filterScope": "Everything",
        "filters": [{"field": name, "operation": "equals", "value": values} for name in statuses],
        "label": LIST_VIEW_LABEL,
    }
