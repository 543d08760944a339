"""Changes as rows that may be shown to a person: with a link to the record, and masked unless revealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ringfence.core.model.change_view import ChangeView, Kind, SlotChange, view_change
from ringfence.core.model.field_roles import PHONE, FieldRole, FieldRoles
from ringfence.core.model.masking import show_change, show_value
from ringfence.core.model.review import Example, say_whose
from ringfence.core.model.values import Change, Companion, RowResult, Value

Link = Callable[[str, str], str]
"""Returns the address of a record's page, of object name and record id; empty where that is not known."""

NO_ANSWER = "no answer was recorded"

_PHONE = FieldRole(PHONE)
_REASON = FieldRole(Companion.REASON)


@dataclass(frozen=True, slots=True)
class Rows:
    """Turns changes into rows of JSON values. ``roles`` tell what their fields are for."""

    roles: FieldRoles
    link: Link
    reveal: bool = False

    def record(self, change: Change) -> dict[str, str]:
        """Return which record a change is about."""
        return {"object": change.object, "id": change.id, "link": self.link(change.object, change.id)}

    def flag(self, view: ChangeView) -> dict[str, Any]:
        """Return the flag that a change raises, and whose opt-out the record's slots name for it."""
        if view.flag is None:
            raise ValueError("the change raises no flag")
        reasons = (slot.reason for slot in view.slots if slot.kind is Kind.SILENCED and slot.reason)
        why = self._masked(next(map(say_whose, reasons), ""), _REASON)
        return {**self.record(view.change), **self._move(view, view.flag.field), "why": why}

    def rewrites(self, view: ChangeView) -> Iterator[dict[str, Any]]:
        """Yield the phone fields that a change rewrites."""
        for item in view.rewrites:
            old, new = (self._masked(value, _PHONE) for value in (item.old, item.new))
            yield {**self.record(view.change), "field": item.field, "old": old, "new": new}

    def example(self, example: Example) -> dict[str, Any]:
        """Return what a change does to one slot."""
        return {**self.record(example.change), **self.slot(example.slot)}

    def slot(self, slot: SlotChange) -> dict[str, Any]:
        """Return what becomes of a slot; ``from`` and ``to`` are None where its status stays."""
        old, new = slot.status or (None, None)
        content, reason = self._masked(slot.content, _PHONE), self._masked(slot.reason, _REASON)
        return {"slot": slot.slot, "content": content, "from": old, "to": new, "reason": reason}

    def sketch(self, change: Change) -> list[str]:
        """Return what a change does in a few words, one text for each thing."""
        view = view_change(change, self.roles)
        told = [f"{view.flag.field} goes up"] if view.flag else []
        told += [f"{row['field']} {row['old']} → {row['new']}" for row in self.rewrites(view)]
        told += map(self._sketch_slot, view.slots)
        return told + [f"{item.field} changes" for item in view.others]

    def _sketch_slot(self, slot: SlotChange) -> str:
        row = self.slot(slot)
        name = f"{slot.slot} {self._masked(slot.e164, _PHONE) or row['content']}".rstrip()
        reason = f" ({row['reason']})" if row["reason"] else ""
        if slot.status is None:
            return f"{name}: checked again, the status stays{reason}"
        return f"{name}: {row['from'] or 'nothing yet'} → {row['to'] or 'emptied'}{reason}"

    def change(self, change: Change, result: RowResult | None) -> dict[str, Any]:
        """Return a change of a run with all its fields, what it does, and its outcome."""
        return {
            **self.record(change),
            "kinds": [kind.value for kind in view_change(change, self.roles).kinds],
            "fields": show_change(change, self.roles, reveal=self.reveal)["fields"],
            "outcome": result.outcome.value if result else NO_ANSWER,
            "code": result.code if result else "",
            "message": result.message if result else "",
        }

    def _move(self, view: ChangeView, field: str) -> dict[str, Any]:
        shown = show_change(view.change, self.roles, reveal=self.reveal)["fields"][field]
        return {"field": field, **shown}

    def _masked(self, value: Value, role: FieldRole) -> Any:
        return show_value(value, role, reveal=self.reveal)


def link_records(link: Callable[[str, str, str], str] | None, address: str) -> Link:
    """Return the links of an account's records, of what its connector offers and where the account is.

    Nothing but a web address becomes a link.
    """
    if link is None or not address.startswith(("https://", "http://")):
        return lambda _object_name, _record_id: ""
    return lambda object_name, record_id: link(address, object_name, record_id)
