"""The Crm port over a dict. It has what a real CRM has: modification times, refusals, deleted and merged records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import SchemaError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Change, Outcome, Record, RowResult, Value
from ringfence.core.ports.bulk import BulkJobs
from ringfence.core.ports.crm import Capabilities, Depth, Finding, Level, Org
from ringfence.core.ports.own_writes import OwnWrites, no_own_writes
from ringfence.core.ports.services import Clock
from ringfence.core.ports.setup_steps import Kept, Removal, SetupStep
from ringfence.core.ports.survey import ObjectCount, Survey

from .feed import MemoryFeed, Row
from .ranges import MemoryRange, divide


@dataclass
class MemoryCrm:
    """One account in memory.

    ``fields`` lists the fields each object has; ``in_scope`` stands for the mapping's native filter; ``refuse`` lets a
    test play validation rules: it returns a code and a message, or None. After :meth:`freeze_index` the feed reads an
    index that lags behind the records.
    """

    shapes: Mapping[str, ObjectShape]
    clock: Clock
    fields: dict[str, set[str]] = field(default_factory=dict)
    page_size: int = 3
    production: bool = False
    in_scope: Callable[[str, Row], bool] = lambda _object, _row: True
    refuse: Callable[[Change], tuple[str, str] | None] = lambda _change: None
    name: str = "memory"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(write_batch=4))
    bulk: BulkJobs | None = None
    calls: Counter[str] = field(default_factory=Counter)
    org_id: str = "mem-1"

    def __post_init__(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in self.shapes}
        self.modified: dict[tuple[str, str], datetime] = {}
        self.survivors: dict[tuple[str, str], str] = {}
        self.index: dict[str, dict[str, Row]] | None = None
        for name, shape in self.shapes.items():
            self.fields.setdefault(name, set(shape.read_fields()))

    def put(self, object_name: str, record_id: str, **values: Value) -> None:
        """Create a record or edit some of its fields, as a person would."""
        self.rows[object_name].setdefault(record_id, {}).update(values)
        self._touch(object_name, record_id)

    def delete(self, object_name: str, record_id: str) -> None:
        """Delete a record."""
        del self.rows[object_name][record_id]

    def merge(self, object_name: str, winner: str, loser: str) -> None:
        """Merge the loser into the winner; the loser's id leads to the winner from now on."""
        self.delete(object_name, loser)
        self.survivors[object_name, loser] = winner
        self._touch(object_name, winner)

    def freeze_index(self) -> None:
        """Copy the present values as the index that the feed reads from now on, while edits go to the records."""
        self.index = {name: {id_: dict(row) for id_, row in rows.items()} for name, rows in self.rows.items()}

    def fewest_calls(self, read: int, written: int, *, full: bool) -> int:  # noqa: ARG002 - all reads cost alike
        """Return the fewest calls for so many records."""
        return ceil(read / self.page_size) + ceil(written / self.capabilities.write_batch)

    def identify(self) -> Org:
        """Return the account."""
        self.calls["login"] += 1
        return Org(self.name, self.org_id, "In memory", self.production)

    def check(self, depth: Depth = Depth.SYNC) -> list[Finding]:  # noqa: ARG002 - all depths cost alike here
        """Return a problem for every mapped field that the account lacks."""
        self.calls["describe"] += 1
        missing = [
            (name, field_name)
            for name, shape in self.shapes.items()
            for field_name in shape.read_fields()
            if field_name not in self.fields[name]
        ]
        if not missing:
            return [Finding(Level.OK, "fields", "every mapped field is there")]

        return [
            Finding(
                Level.PROBLEM,
                f"{name}.{field_name}",
                f"{name} has no field {field_name}{did_you_mean(field_name, self.fields[name])}",
                "Run setup, or correct the mapping.",
                SchemaError,
                "is not there yet and counts as empty" if field_name in self.shapes[name].companion_fields() else "",
            )
            for name, field_name in missing
        ]

    def survey(self) -> Survey:
        """Return the counts; nothing runs by itself here."""
        self.calls["describe"] += 1
        return Survey(
            [
                ObjectCount(
                    name,
                    len(self.rows[name]),
                    sum(bool(row.get(slot.field)) for row in self.rows[name].values() for slot in shape.slots),
                )
                for name, shape in self.shapes.items()
            ]
        )

    def plan_setup(self) -> list[SetupStep]:
        """Return a step for each missing companion."""
        return [
            SetupStep("field", f"{name}.{field_name}", (name, field_name))
            for name, shape in self.shapes.items()
            for field_name in shape.companion_fields()
            if field_name not in self.fields[name]
        ]

    def apply_setup(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Create the fields."""
        for step in steps:
            object_name, field_name = step.body
            self.fields[object_name].add(field_name)
            self.calls["setup"] += 1
            yield step

    def setup_remarks(self) -> list[str]:
        """Return nothing: a field has no label here."""
        return []

    def plan_removal(self, *, opt_outs: bool = False) -> Removal:
        """Return a step for each companion that is there, with ``opt_outs`` for each opt-out field too."""
        steps, kept = [], []
        for name, shape in self.shapes.items():
            flags = shape.flag_fields()
            fields = [*shape.companion_fields(), *(flags if opt_outs else [])]
            steps += [SetupStep("field", f"{name}.{one}", (name, one)) for one in fields if one in self.fields[name]]
            kept += [Kept(f"{name}.{one}", "it holds people's opt-outs.") for one in flags if not opt_outs]
        held = {
            name: sum(any(row.get(one) for one in shape.companion_fields()) for row in self.rows[name].values())
            for name, shape in self.shapes.items()
        }
        return Removal(steps, kept, held)

    def apply_removal(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Delete the fields and what the records hold in them."""
        for step in steps:
            object_name, field_name = step.body
            self.fields[object_name].discard(field_name)
            for row in self.rows[object_name].values():
                row.pop(field_name, None)
            self.calls["setup"] += 1
            yield step

    def open_feed(
        self,
        cursors: Mapping[str, str | None],
        own_writes: OwnWrites = no_own_writes,  # noqa: ARG002 - reading back costs nothing here
    ) -> MemoryFeed:
        """Take the watermark now."""
        return MemoryFeed(self, {name: json.loads(c) if c else {} for name, c in cursors.items()}, self.clock.now())

    def split(self, object_name: str, parts: int, *, least: int = 1) -> list[str]:
        """Return up to so many ranges of ids."""
        ids = sorted(self.rows[object_name])
        return divide(ids, max(1, min(parts, len(ids) // least)))

    def count_due(self, object_name: str, before: datetime) -> int:
        """Return how many records are due by age."""
        feed = self.open_feed({})
        return sum(feed.owes(record, before) for record in feed.every(object_name))

    def open_range(self, object_name: str, range_: str, position: str | None = None) -> MemoryRange:
        """Return the reads of a range."""
        return MemoryRange.at(self.open_feed({}), object_name, range_, position)

    def fetch(self, object_name: str, ids: Sequence[str]) -> list[Record]:
        """Return the present state of these records; merged ones under their survivor's id."""
        self.calls["read"] += ceil(len(ids) / self.page_size)
        found = {self.survivors.get((object_name, id_), id_): None for id_ in ids}
        return [self.record(object_name, id_, self.rows) for id_ in found if id_ in self.rows[object_name]]

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """Write each change whose record is there, whose guard holds and which is not refused."""
        self.calls["write"] += ceil(len(changes) / self.capabilities.write_batch)
        return [self.write_one(change) for change in changes]

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def record(self, object_name: str, record_id: str, rows: Mapping[str, Mapping[str, Row]]) -> Record:
        """Return a row, out of those of the account or of its index, as a record with every field of the object."""
        row = rows[object_name][record_id]
        values = {name: row.get(name) for name in self.fields[object_name] | {*self.shapes[object_name].read_fields()}}
        stamp = self.modified[object_name, record_id]
        return Record(object_name, record_id, values, stamp, self.in_scope(object_name, row))

    def write_one(self, change: Change) -> RowResult:
        """Write one change, if its record is there, its guard holds and it is not refused."""
        row = self.rows[change.object].get(change.id)
        if row is None:
            return RowResult(Outcome.CONFLICT, "GONE", "the record is deleted or merged")
        if any(row.get(name) != value for name, value in change.guard.items()):
            return RowResult(Outcome.CONFLICT, "CHANGED", "the record has changed since it was read")

        unknown = [item.field for item in change.fields if item.field not in self.fields[change.object]]
        if unknown:
            return RowResult(Outcome.REFUSED, "NO_FIELD", f"no such field: {unknown[0]}")
        if (refusal := self.refuse(change)) is not None:
            return RowResult(Outcome.REFUSED, *refusal)

        row.update(change.new_values())
        self._touch(change.object, change.id)
        return RowResult(Outcome.WRITTEN)

    def _touch(self, object_name: str, record_id: str) -> None:
        self.modified[object_name, record_id] = self.clock.now()
