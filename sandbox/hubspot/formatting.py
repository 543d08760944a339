"""HubSpot's own formatting of phone numbers: what was written is rewritten a moment later, as a change of its own."""

from __future__ import annotations

from collections.abc import Mapping

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from .store import ObjectStore, Row

SOURCE = "CALCULATED"
"""The source of such a change in the history (unverified)."""


DELAY_MS = 30_000
"""How long after a write it is rewritten, in milliseconds (unverified)."""


class PhoneFormatting:
    """Rewrites the phone properties of one store in international form, half a minute after each write."""

    def __init__(self, store: ObjectStore, properties: frozenset[str]) -> None:
        self._store = store
        self._properties = properties
        self._waiting: dict[tuple[int, str], tuple[int, str]] = {}
        store.watch = self._note

    def settle(self, now: int) -> None:
        """Carry out what is due, where the property still holds what was written."""
        due = [key for key, (at, _) in self._waiting.items() if at + DELAY_MS <= now]
        for record_id, name in due:
            _, written = self._waiting.pop((record_id, name))
            row = self._store.rows.get(record_id)
            formatted = _formatted(written)
            if row is not None and row.archived_at is None and row.properties.get(name) == written != formatted:
                self._store.update(row, {name: formatted}, now, SOURCE, noop_bumps=False)

    def _note(self, row: Row, values: Mapping[str, str]) -> None:
        for name in self._properties & values.keys():
            self._waiting[row.id, name] = (row.modified, values[name])


def _formatted(text: str) -> str:
    """Return an international number in HubSpot's form; any other text as it is."""
    try:
        number = phonenumbers.parse(text, None)
    except NumberParseException:
        return text
    if not phonenumbers.is_valid_number(number):
        return text
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
