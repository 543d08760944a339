"""Opt-outs of records that are gone: merged into one whose own flag is down, or in the recycle bin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from ringfence.core.model.shapes import OptOutFlag
from ringfence.core.model.values import Record, Value
from ringfence.core.ports.crm import Page

from ..http.batches import in_batches
from .client import HISTORY_BATCH, HubSpotClient
from .fields import MERGED, read_moment, read_value
from .source import ObjectSource

_MERGE = "MERGE"
"""What the source of a version says that a merge has set, not a person."""

_UNKNOWN = datetime.max.replace(tzinfo=UTC)

Version = tuple[datetime, Value, bool]
"""When a property got a value, the value, and whether a merge has set it."""


@dataclass(frozen=True, slots=True)
class GoneReader:
    """Finds the records of one object that asked for silence before they were merged away or archived."""

    client: HubSpotClient
    source: ObjectSource

    def merged(self, records: Iterable[Record]) -> Iterator[Page]:
        """Yield what was merged into these records and had opted out, though the survivor's flag is down.

        HubSpot keeps the winner's flag, also where it says ``false``. What the loser's said stands in the history of
        the survivor, which does not tell whose a value was. So a flag that was up before the merge counts, unless it
        was set again after the merge; and it covers every number that the history holds.
        """
        shape = self.source.rows.shape
        ids = [each.id for each in records if each.values.get(MERGED) and self._lowered(each)]
        if not ids:
            return

        versioned = [*shape.heard_fields(), MERGED, *(slot.field for slot in shape.slots)]
        for batch in in_batches(ids, HISTORY_BATCH):
            answer = self.client.read_histories(self.source.name, batch, self.source.rows.properties, versioned)
            for row in answer["results"]:
                yield from self._lost_in(row)

    def archived(self) -> Iterator[list[Record]]:
        """Yield the pages of the recycle bin: all its records, which hold their values for 90 days."""
        after = None
        while True:
            answer = self.client.list_page(self.source.name, self.source.rows.properties, after, archived=True)
            yield [self.source.rows.read(row) for row in answer["results"]]
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return

    def _lost_in(self, row: Mapping[str, Any]) -> Iterator[Page]:
        survivor = self.source.rows.read(row)
        merges = list(self._merges(survivor, self._versions(row, MERGED)))
        lost: dict[str, dict[str, Value]] = {}
        for flag in self._lowered(survivor):
            for merged_id in self._find_lost(flag, self._versions(row, flag.field), merges):
                lost.setdefault(merged_id, {})[flag.field] = flag.raised

        # Whether a flag that is up on the survivor was the loser's too, nobody knows: there it is heard anyway.
        down = dict.fromkeys(self.source.rows.shape.heard_fields())
        # A page for each set of numbers: a record holds one number a slot, its history several.
        for numbers in self._numbers(row, survivor) if lost else ():
            held = {**survivor.values, **numbers, **down}
            yield Page(
                self.source.name,
                [Record(self.source.name, each, {**held, **flags}) for each, flags in lost.items()],
                gone=True,
            )

    def _lowered(self, record: Record) -> list[OptOutFlag]:
        return [flag for flag in self.source.rows.shape.heard if not flag.is_up(record.values.get(flag.field))]

    @staticmethod
    def _find_lost(
        flag: OptOutFlag, versions: Sequence[Version], merges: Iterable[tuple[str, datetime]]
    ) -> Iterator[str]:
        """Yield the merged records whose flag was up, and on whose survivor nobody has set it again."""
        for merged_id, moment in merges:
            was_up = any(flag.is_up(value) for when, value, _ in versions if when <= moment)
            if was_up and not any(when > moment and not by_merge for when, _, by_merge in versions):
                yield merged_id

    def _merges(self, survivor: Record, versions: Sequence[Version]) -> Iterator[tuple[str, datetime]]:
        """Yield each merged id with the moment of its merge; with the end of time where the history does not tell."""
        for merged_id in filter(None, str(survivor.values.get(MERGED) or "").split(";")):
            moments = [when for when, value, _ in versions if merged_id in str(value).split(";")]
            yield merged_id, min(moments, default=_UNKNOWN)

    def _numbers(self, row: Mapping[str, Any], survivor: Record) -> Iterator[dict[str, Value]]:
        names = [slot.field for slot in self.source.rows.shape.slots]
        held = [
            dict.fromkeys([survivor.values.get(name), *(value for _, value, _ in self._versions(row, name))])
            for name in names
        ]
        for values in zip_longest(*held):
            yield dict(zip(names, values, strict=True))

    def _versions(self, row: Mapping[str, Any], name: str) -> list[Version]:
        kind = self.source.rows.kinds.get(name, "string")
        return [
            (_when(each), read_value(kind, each.get("value")), _MERGE in str(each.get("sourceType") or "").upper())
            for each in (row.get("propertiesWithHistory") or {}).get(name) or ()
        ]


def _when(version: Mapping[str, Any]) -> datetime:
    moment = read_moment(str(version.get("timestamp") or ""))
    # A version without a moment may be of any time: as one from before the merge it can only tighten.
    return moment if isinstance(moment, datetime) else datetime.min.replace(tzinfo=UTC)
