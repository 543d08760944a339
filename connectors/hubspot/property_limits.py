"""How many more custom properties a portal may have: free ones have room for few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.core.errors import RefusedError, SchemaError

from .client import HubSpotClient

_TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"}


def check_room(client: HubSpotClient, wanted: Mapping[str, int]) -> None:
    """Raise SchemaError where the portal has no room for so many new properties of each object.

    A portal that does not tell its limits passes: what it refuses is told then.
    """
    try:
        limits = client.property_limits()
    except RefusedError:
        return

    for whose, needed, left in _compare(limits, wanted):
        if left < needed:
            raise SchemaError(
                f"{needed} custom properties are needed, and the portal has room for {max(left, 0)} more{whose}.",
                "Archive properties that nobody uses (Settings > Properties), map fewer phone properties, "
                "or ask HubSpot for more room.",
            )


def _compare(limits: Mapping[str, Any], wanted: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Yield (whose room, properties needed, properties left) for the portal and for each object that it tells of."""
    if (left := _left(limits, "overallLimit", "overallUsage")) is not None:
        yield "", sum(wanted.values()), left
    by_type = {str(row.get("objectTypeId")): row for row in limits.get("byObjectType") or () if isinstance(row, dict)}
    for name, needed in wanted.items():
        row = by_type.get(_TYPE_IDS.get(name, name))
        if row is not None and (left := _left(row, "limit", "usage")) is not None:
            yield f" on {name}", needed, left


def _left(row: Mapping[str, Any], limit: str, usage: str) -> int | None:
    try:
        return int(row[limit]) - int(row[usage])
    except (KeyError, TypeError, ValueError):
        return None
