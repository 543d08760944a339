"""The reads of one run over a CRM in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from ringfence.core.model.shapes import ObjectShape, Slot
from ringfence.core.model.values import Companion, Record, Value
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Page

Row = dict[str, Value]
"""The fields of one record, by name."""


class MemoryAccount(Protocol):
    """What the reads need of the account: its records, and the index that may lag behind them."""

    shapes: Mapping[str, ObjectShape]
    rows: dict[str, dict[str, Row]]
    index: dict[str, dict[str, Row]] | None
    page_size: int
    calls: Counter[str]

    def record(self, object_name: str, record_id: str, rows: Mapping[str, Mapping[str, Row]]) -> Record:
        """Return a record as these rows hold it."""
        ...


@dataclass
class MemoryFeed:
    """The reads of one run. A cursor is ``{"since": stamp}``, or ``{"after": id, "since": stamp}`` in a full read."""

    crm: MemoryAccount
    cursors: Mapping[str, dict[str, str]]
    watermark: datetime

    def is_full(self, object_name: str) -> bool:
        """Return whether all records are read."""
        cursor = self.cursors[object_name]
        return not cursor or "after" in cursor

    def flagged(self) -> Iterator[Page]:
        """Yield flagged records, and in a window those with the flag down whose status is still ``do_not_contact``."""
        for name, shape in self.crm.shapes.items():
            yield from self.pages(name, [r for r in self._candidates(name) if self._matters(r, shape)])

    def flagged_meanwhile(self) -> Iterator[Page]:
        """Yield the flagged records of a full read that changed since the watermark."""
        for name, shape in self.crm.shapes.items():
            if self.is_full(name):
                later = [r for r in self.every(name) if r.modified and r.modified >= self.watermark]
                yield from self.pages(name, [r for r in later if shape.opts_out(r)])

    def screened(self, since: datetime) -> Iterator[Page]:
        """Yield records with a recent verdict."""
        for name, shape in self.crm.shapes.items():
            stamps = [slot.companions[Companion.LAST_SCREENED] for slot in shape.slots]
            found = [r for r in self.every(name) if any(_at_least(r.values[s], since) for s in stamps)]
            yield from self.pages(name, found)

    def changed(self) -> Iterator[Page]:
        """Yield changed records in the order of their stamps; in a full read, all in the order of their ids."""
        for name in self.crm.shapes:
            cursor, full = self.cursors[name], self.is_full(name)
            watermark = cursor["since"] if full and cursor else self.watermark.isoformat()
            records = [r for r in self._candidates(name) if not full or r.id > cursor.get("after", "")]
            pages = list(self.pages(name, records)) or [self.page(name, [])]

            for page in pages[:-1]:
                # A window's cursor moves only at its end; a full read resumes behind the last id.
                after = json.dumps({"after": page.records[-1].id, "since": watermark})
                yield replace(page, cursor=after if full else None)

            yield replace(pages[-1], cursor=json.dumps({"since": watermark}))

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield records in scope with a filled slot never screened, or screened before then."""
        for name in self.crm.shapes:
            if self.is_full(name):
                continue
            yield from self.pages(name, [r for r in self.every(name) if self.owes(r, before)])

    def cursor_behind(self, object_name: str) -> str:  # noqa: ARG002 - one watermark holds for all objects here
        """Return the cursor of an object once everything is read that was there at the watermark."""
        return json.dumps({"since": self.watermark.isoformat()})

    def owes(self, record: Record, before: datetime) -> bool:
        """Return whether a record is due by age."""
        slots = self.crm.shapes[record.object].slots
        return record.in_scope and any(_is_old(record, slot, before) for slot in slots)

    def _rows(self) -> Mapping[str, Mapping[str, Row]]:
        return self.crm.rows if self.crm.index is None else self.crm.index

    def every(self, name: str) -> list[Record]:
        """Return all records of an object in the order of their ids."""
        rows = self._rows()
        return [self.crm.record(name, id_, rows) for id_ in sorted(rows[name])]

    def _candidates(self, name: str) -> list[Record]:
        if self.is_full(name):
            return self.every(name)
        since = datetime.fromisoformat(self.cursors[name]["since"])
        # What is newer than the watermark is read too; the cursor alone stays behind it.
        found = [r for r in self.every(name) if r.modified and since <= r.modified]
        return sorted(found, key=lambda r: (r.modified, r.id))

    def _matters(self, record: Record, shape: ObjectShape) -> bool:
        if shape.opts_out(record):
            return True
        statuses = [record.values[slot.companions[Companion.STATUS]] for slot in shape.slots]
        return not self.is_full(record.object) and Status.DO_NOT_CONTACT in statuses

    def page(self, name: str, records: list[Record], total: int | None = None) -> Page:
        """Return records as a page without a cursor."""
        return Page(name, records, authoritative=self.crm.index is None, total=total)

    def pages(self, name: str, records: list[Record]) -> Iterator[Page]:
        """Yield records in pages without cursors."""
        size = self.crm.page_size
        for start in range(0, len(records), size):
            self.crm.calls["read"] += 1
            some = records[start : start + size]
            yield self.page(name, some, len(records))


def _at_least(value: Value, since: datetime) -> bool:
    return isinstance(value, datetime) and value >= since


def _is_old(record: Record, slot: Slot, before: datetime) -> bool:
    last = record.values[slot.companions[Companion.LAST_SCREENED]]
    return bool(record.values[slot.field]) and (last is None or (isinstance(last, datetime) and last < before))
