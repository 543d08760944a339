"""A record seen as phone slots: what each slot contains, its numbers, and what its companions hold."""

from __future__ import annotations

import hashlib

from ..numbers import Number, read_number
from ..numbers.regions import read_region
from .shapes import ObjectShape, Slot
from .values import Companion, Record, Value

SCREENED_VALUE_LENGTH = 80


class RecordView:
    """One record under the shape of its object. Everything about it is worked out on first use and then kept."""

    __slots__ = ("_all", "_contents", "_flagged", "_numbers", "_region", "record", "shape")

    def __init__(self, record: Record, shape: ObjectShape) -> None:
        self.record = record
        self.shape = shape
        self._numbers: dict[str, Number] = {}
        self._contents: dict[str, str] | None = None
        self._all: tuple[str, ...] | None = None
        self._flagged: bool | None = None
        self._region: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return (object, record id)."""
        return self.record[:2]

    @property
    def flagged(self) -> bool:
        """Return whether the record's own opt-out flag is up."""
        if self._flagged is None:
            self._flagged = self.shape.is_flagged(self.record)
        return self._flagged

    def content(self, slot: Slot) -> str:
        """Return the slot's raw content without surrounding white space, which CRMs trim; empty when there is none."""
        contents = self._contents
        return (self.contents() if contents is None else contents)[slot.field]

    def contents(self) -> dict[str, str]:
        """Return the content of every slot, by field name."""
        if self._contents is None:
            values = self.record.values
            self._contents = contents = {}
            for slot in self.shape.slots:
                held = values.get(slot.field)
                contents[slot.field] = "" if held is None else text(held)
        return self._contents

    def held(self, slot: Slot, companion: Companion) -> Value:
        """Return what a companion holds in the CRM; None when it is empty."""
        value = self.record.values.get(slot.companions[companion])
        return None if value == "" else value

    def is_current(self, slot: Slot) -> bool:
        """Return whether the slot's verdict is about its present content (docs/contract.md, section 2)."""
        held = self.held(slot, Companion.SCREENED_VALUE)
        return held is not None and text(held) == screened_value(self.content(slot))

    def region(self) -> str | None:
        """Return the ISO 3166 region that reads national numbers: the mapped country field's, else the default.

        The default is for records that name no country. A country that cannot be read is no region: read by the default
        one, the number would be somebody else's (contract.md, section 1).
        """
        if self._region is None:
            field = self.shape.region_field
            country = text(self.record.values.get(field)) if field else ""
            self._region = (read_region(country) if country else self.shape.default_region) or ""
        return self._region or None

    def number(self, slot: Slot) -> Number:
        """Return the slot's content as a number."""
        number = self._numbers.get(slot.field)
        if number is None:
            number = self._numbers[slot.field] = read_number(self.content(slot), self.region())
        return number

    def e164s(self, slot: Slot) -> tuple[str, ...]:
        """Return the keys by which an opt-out on the slot is found, the screened number first (contract.md, section 2).

        They are every valid number in E.164 that the content may be read as, and where nobody can tell what it is, the
        key of the identical content; a content that cannot exist, such as a placeholder, has none. They are worked out
        anew from content and country on every read: what a companion holds may rest on a country that was corrected.
        """
        return self.number(slot).covers if self.content(slot) else ()

    def all_e164s(self) -> tuple[str, ...]:
        """Return the keys of all slots, as of :meth:`e164s`, each once."""
        if self._all is None:
            found: tuple[str, ...] = ()
            for slot in self.shape.slots:
                found += self.e164s(slot)
            self._all = tuple(dict.fromkeys(found)) if len(found) > 1 else found
        return self._all


def text(value: Value) -> str:
    """Return a field's value as trimmed text."""
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def screened_value(content: str) -> str:
    """Return what the screened-value companion holds for the content: itself, or its digest when over 80 characters."""
    content = content.strip()
    if len(content) <= SCREENED_VALUE_LENGTH:
        return content
    return "sha256:" + hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
