"""The numbers that were heard of long ago and not since, as the state has them: by their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, literal, or_, select, tuple_

from ..model.review_items import ReviewReason
from . import schema

Place = tuple[datetime, bytes]
"""When a number was last heard of (aware UTC), and its key: numbers are listed in this order."""

_Signs = schema.number_signs


def find_oldest(connection: Connection, ledger: str) -> datetime | None:
    """Return when the number was last heard of that has been quiet for longest; None where there is none."""
    oldest: datetime | None = connection.scalar(select(func.min(_Signs.c.latest_at)).where(_Signs.c.ledger == ledger))
    return oldest


def list_quiet(connection: Connection, ledger: str, before: datetime, after: Place, limit: int) -> list[Place]:
    """Return numbers behind ``after`` that were heard of before the moment ``before`` (aware UTC), and not since."""
    place = tuple_(_Signs.c.latest_at, _Signs.c.number_key)
    moment = literal(after[0], _Signs.c.latest_at.type)
    query = (
        select(_Signs.c.latest_at, _Signs.c.number_key)
        .where(_Signs.c.ledger == ledger, _Signs.c.latest_at < before, place > tuple_(moment, literal(after[1])))
        .order_by(_Signs.c.latest_at, _Signs.c.number_key)
        .limit(limit)
    )
    return [(row.latest_at, bytes(row.number_key)) for row in connection.execute(query)]


def keep_unasked(connection: Connection, ledger: str, org_id: int, keys: Sequence[bytes]) -> list[bytes]:
    """Return those of some keys whose number a record of the account holds, and about whose line nobody is being asked.

    Nor was anybody asked about this silence before.
    """
    held, items = schema.holdings, schema.review_items
    is_held = select(held.c.record_id).where(held.c.org_id == org_id, held.c.number_key == _Signs.c.number_key)
    others = [ReviewReason.SUSPECT.value, ReviewReason.CONFLICT.value]
    waits = and_(items.c.resolution.is_(None), items.c.reason.in_(others))
    asked = and_(items.c.reason == ReviewReason.SILENT.value, items.c.since >= _Signs.c.latest_at)
    is_asked = select(items.c.id).where(
        items.c.number_key == _Signs.c.number_key, items.c.ledger == ledger, or_(waits, asked)
    )
    query = select(_Signs.c.number_key).where(_Signs.c.ledger == ledger, _Signs.c.number_key.in_(keys))
    return [bytes(key) for key in connection.scalars(query.where(is_held.exists(), ~is_asked.exists()))]
