"""Changes of records other than edits: merging."""

from __future__ import annotations

from .state import PortalState
from .store import Row, Version

MERGE = "MERGE_OBJECTS"
"""The source of what a merge sets, in the history (unverified)."""


def merge_records(portal: PortalState, primary: str, other: str, *, type_name: str = "contacts") -> str:
    """Merge two records and return the id of the survivor, a new one: both old ids lead to it from now on.

    The primary's values win, the other's fill the gaps. The survivor has the history of both, and above that what the
    merge has set. Raises KeyError for an id without a record.
    """
    store = portal.stores[type_name]
    kept, gone = store.find(primary), store.find(other)
    if kept is None or gone is None or kept is gone:
        raise KeyError(primary if kept is None else other)

    earlier = [row.properties.get("hs_merged_object_ids", "") for row in (kept, gone)]
    merged = ";".join(filter(None, [*earlier, str(kept.id), str(gone.id)]))
    values = {**gone.properties, **kept.properties, "hs_merged_object_ids": merged}

    survivor, now = portal.new_id(), portal.now()

    for row in (kept, gone):
        store.absorb(row, survivor, now)

    row = store.add(survivor, values, min(kept.created, gone.created), now)
    row.versions = [*_histories(kept, gone), (now, MERGE, dict(values), {})]
    return str(survivor)


def _histories(*rows: Row) -> list[Version]:
    """Return the versions of several records as one history, from the values that each began with."""
    versions: list[Version] = []
    for row in rows:
        first = dict(row.properties)
        for _, _, _, before in reversed(row.versions):
            first |= before
        # A survivor of an earlier merge has its beginning in its versions.
        if not any(source == MERGE for _, source, _, _ in row.versions):
            versions.append((row.created, "IMPORT", first, {}))
        versions += row.versions
    return sorted(versions, key=lambda version: version[0])
