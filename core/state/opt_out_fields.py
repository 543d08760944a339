"""Which fields of each object its opt-out flags were read from: under others they would all look lowered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from ..model.shapes import OptOutFlag
from . import schema
from .flag_states import UP
from .sql import upsert


class KnownFlag(NamedTuple):
    """An opt-out field of an object under the mapping of an earlier run, and the values that raised it."""

    field: str
    true_values: frozenset[str]

    def is_heard_by(self, flags: Iterable[OptOutFlag]) -> bool:
        """Return whether every flag that was up under the earlier mapping is up under one with these flags."""
        return any(self.field == flag.field and self.true_values <= set(_dump(flag)) for flag in flags)


class OptOutFields:
    """The opt-out fields of one org's objects. Every method works in the caller's transaction."""

    def __init__(self, org_id: int) -> None:
        self._org_id = org_id

    def read(self, connection: Connection) -> dict[str, list[KnownFlag]]:
        """Return object name -> the opt-out fields that its flags were read from, where that is on record."""
        table = schema.opt_out_fields
        query = select(table).where(table.c.org_id == self._org_id).order_by(table.c.object, table.c.field)
        found: defaultdict[str, list[KnownFlag]] = defaultdict(list)
        for row in connection.execute(query):
            found[row.object].append(KnownFlag(row.field, frozenset(json.loads(row.true_values))))
        return dict(found)

    def keep(self, connection: Connection, flags: Mapping[str, Sequence[OptOutFlag]]) -> None:
        """Record from which fields flags are read from now on, by object name."""
        table = schema.opt_out_fields
        for name, those in flags.items():
            fields = [flag.field for flag in those]
            connection.execute(
                delete(table).where(
                    table.c.org_id == self._org_id, table.c.object == name, table.c.field.not_in(fields)
                )
            )
        rows = [
            {"org_id": self._org_id, "object": name, "field": flag.field, "true_values": json.dumps(_dump(flag))}
            for name, those in flags.items()
            for flag in those
        ]
        upsert(connection, table, rows)

    def count_flagged(self, connection: Connection) -> dict[str, int]:
        """Return object name -> how many records of it are known to have their flag up, for those with any."""
        table = schema.opt_out_flags
        query = (
            select(table.c.object, func.count(table.c.record_id.distinct()).label("records"))
            .where(table.c.org_id == self._org_id, table.c.state.in_(UP))
            .group_by(table.c.object)
        )
        return {row.object: row.records for row in connection.execute(query)}


def _dump(flag: OptOutFlag) -> list[str]:
    return sorted(str(value).strip().casefold() for value in flag.true_values)
