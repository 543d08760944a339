"""Opt-outs of records that were merged away: they pass to the record that survived the merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page

from ..http.batches import in_batches
from .client import PAGE, Row, SalesforceClient
from .paging import follow, read_first, read_masters
from .soql import Query, flag_up
from .source import ObjectSource

MASTER = "MasterRecordId"
MERGEABLE = frozenset({"Account", "Case", "Contact", "Lead"})
"""Objects whose records can be merged, and that have the field which names the survivor."""

_PURPOSE = "opt_outs"


def merged_query(source: ObjectSource) -> Query | None:
    """Return the query for records that were merged away with their flag up, or None where there can be none.

    In a full read it finds those that are still in the recycle bin, else those that were merged in the window.
    """
    flag = source.rows.shape.opt_out
    if flag is None or source.name not in MERGEABLE:
        return None

    window = () if source.position.full else (source.lower_bound(),)
    conditions = ("IsDeleted = true", f"{MASTER} != null", *window, flag_up(flag))
    return Query(source.name, (*source.rows.fields, MASTER), conditions, deleted_too=True)


def read_merged(client: SalesforceClient, source: ObjectSource, query: Query, first: Row | None) -> Iterator[Page]:
    """Yield the merged records twice, the flag up: with the present values of their survivors, and as they were.

    ``first`` is the query's first page where it has been read already.
    """
    if first is None:
        (first,) = read_first(client, [query], _PURPOSE)

    for found in follow(client, query, first, _PURPOSE):
        if found.rows:
            yield Page(source.name, _as_survivors(client, source, found.rows), gone=True)
            yield Page(source.name, [source.rows.read(row, in_scope=False) for row in found.rows], gone=True)


def _as_survivors(client: SalesforceClient, source: ObjectSource, rows: Sequence[Row]) -> list[Record]:
    masters = {row["Id"]: row[MASTER] for row in rows}
    survivors = _find_survivors(client, source, set(masters.values()))
    flag = source.rows.shape.opt_out
    records = []

    for loser, master in masters.items():
        if flag is not None and (row := survivors.get(master)) is not None:
            record = source.rows.read(row, in_scope=False)
            values = {**record.values, flag.field: flag.raised}
            records.append(Record(source.name, loser, values, record.modified, in_scope=False))

    return records


def _find_survivors(client: SalesforceClient, source: ObjectSource, masters: set[str]) -> dict[str, Mapping[str, Any]]:
    """Return master id -> the record that survives today; a master may itself have been merged since."""
    replaced_by = {master: master for master in masters}
    found: dict[str, Mapping[str, Any]] = {}
    wanted = sorted(masters)

    while wanted:
        missing = []
        for batch in in_batches(wanted, PAGE):
            rows = client.retrieve(source.name, batch, source.rows.fields, _PURPOSE)
            found.update((one, row) for one, row in zip(batch, rows, strict=True) if row is not None)
            missing += [one for one, row in zip(batch, rows, strict=True) if row is None]

        further = read_masters(client, source.name, missing) if missing else {}
        replaced_by = {master: further.get(at, at) for master, at in replaced_by.items()}
        wanted = sorted(set(further.values()) - found.keys())

    return {master: found[at] for master, at in replaced_by.items() if at in found}
