"""Changes of records other than edits: merging."""

from __future__ import annotations

from .state import PortalState


def merge_records(portal: PortalState, primary: str, other: str, *, type_name: str = "contacts") -> str:
    """Merge two records and return the id of the survivor, a new one: both old ids lead to it from now on.

    The primary's values win, the other's fill the gaps. Raises KeyError for an id without a record.
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

    store.add(survivor, values, min(kept.created, gone.created), now)

    return str(survivor)
