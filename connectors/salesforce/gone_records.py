"""Opt-outs of records that nobody works with any more: merged away, deleted, or leads that were converted.

Each passes to whoever holds the record's numbers. Where another record took its place, that one's present numbers
count as well: the survivor of a merge, the contact that a lead became.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Record, Value
from ringfence.core.ports.crm import Page

from ..http.batches import in_batches
from .client import PAGE, Row, SalesforceClient
from .fields import CONTACT_OF_LEAD, MASTER, MERGEABLE
from .paging import BulkFallback, FirstPage, follow, read_first, read_masters
from .soql import Query
from .source import ObjectSource

CONTACT = "Contact"

_PURPOSE = "opt_outs"


def deleted_query(source: ObjectSource) -> Query | None:
    """Return the query for deleted records whose flag was up, merged ones included; None without a flag in the mapping.

    In a full read it finds those that are still in the recycle bin, else those that were deleted in the window.
    """
    if not source.rows.shape.heard:
        return None

    window = () if source.position.full else (source.lower_bound(),)
    conditions = ("IsDeleted = true", *window, *source.heard_elsewhere(), *source.flag_conditions())
    extra = (MASTER,) if source.name in MERGEABLE and MASTER not in source.lacking else ()
    return Query(source.name, (*source.rows.fields, *extra), conditions, deleted_too=True)


def read_deleted(
    client: SalesforceClient, source: ObjectSource, query: Query, first: FirstPage | None, fallback: BulkFallback
) -> Iterator[Page]:
    """Yield deleted records whose flag was up as they were, and merged ones with the values of their survivors too.

    ``first`` is the query's first page where it has been read already; ``fallback`` reads what is large.
    """
    if first is None:
        (first,) = read_first(client, [query], _PURPOSE)

    for found in follow(client, query, first, _PURPOSE, fallback):
        records = {row["Id"]: source.rows.read(row, in_scope=False) for row in found.rows}
        flagged = {key: record for key, record in records.items() if source.rows.shape.opts_out(record)}
        if not flagged:
            continue

        masters = {row["Id"]: row[MASTER] for row in found.rows if row["Id"] in flagged and row.get(MASTER)}
        if masters:
            yield Page(source.name, _as_survivors(client, source, flagged, masters), gone=True)
        yield Page(source.name, list(flagged.values()), gone=True)


def _as_survivors(
    client: SalesforceClient, source: ObjectSource, losers: Mapping[str, Record], masters: Mapping[str, str]
) -> list[Record]:
    survivors = _find_survivors(client, source, set(masters.values()))
    present = {at: source.rows.read(row, in_scope=False).values for at, row in survivors.items()}
    fields = [(name, name) for name in _asked_fields(source.rows.shape)]
    return [_with_values(losers[one], present[at], fields) for one, at in masters.items() if at in present]


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

        further = read_masters(client, source.name, missing) if missing and MASTER not in source.lacking else {}
        replaced_by = {master: further.get(at, at) for master, at in replaced_by.items()}
        wanted = sorted(set(further.values()) - found.keys())

    return {master: found[at] for master, at in replaced_by.items() if at in found}


def read_converted(
    client: SalesforceClient, leads: ObjectSource, contacts: ObjectSource | None, rows: Sequence[Row]
) -> Iterator[Page]:
    """Yield converted leads: those whose flag is up as gone, with the numbers of their contacts too; others as found.

    ``contacts`` is None where the mapping leaves contacts out.
    """
    records = [leads.rows.read(row, in_scope=False) for row in rows]
    flagged = [record for record in records if leads.rows.shape.opts_out(record)]
    lowered = [record for record in records if not leads.rows.shape.opts_out(record)]

    if flagged and contacts is not None:
        became = {row["Id"]: row.get(CONTACT_OF_LEAD) for row in rows}
        pairs = [(lead, str(became[lead.id])) for lead in flagged if became[lead.id]]
        yield from _as_contacts(client, leads.rows.shape, contacts, pairs)

    if flagged:
        yield Page(leads.name, flagged, gone=True)
    if lowered:
        yield Page(leads.name, lowered)


def _as_contacts(
    client: SalesforceClient, lead: ObjectShape, contacts: ObjectSource, became: Sequence[tuple[Record, str]]
) -> Iterator[Page]:
    """Yield leads with the present numbers of their contacts, as many of them at a time as a lead has phone fields."""
    shape = contacts.rows.shape
    survivors = _find_survivors(client, contacts, {at for _, at in became})
    present = {at: contacts.rows.read(row, in_scope=False).values for at, row in survivors.items()}
    regions = [(lead.region_field, shape.region_field)] if lead.region_field and shape.region_field else []

    for slots in in_batches(shape.slots, len(lead.slots)):
        fields = [(mine.field, theirs.field) for mine, theirs in zip(lead.slots, slots, strict=False)] + regions
        records = [_with_values(one, present[at], fields) for one, at in became if at in present]
        if records:
            yield Page(lead.name, records, gone=True)


def _asked_fields(shape: ObjectShape) -> list[str]:
    """Return the fields that tell which numbers a record holds."""
    names = [slot.field for slot in shape.slots]
    return [*names, shape.region_field] if shape.region_field else names


def _with_values(record: Record, values: Mapping[str, Value], fields: Iterable[tuple[str, str]]) -> Record:
    """Return the record with these of another one's values: its own field, the other's. Flag and verdicts stay."""
    return record._replace(values={**record.values, **{mine: values.get(theirs) for mine, theirs in fields}})
