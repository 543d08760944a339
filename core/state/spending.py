"""What lookups have cost, and whether one more may be bought: counted in the store, so that all processes share it.

A lookup is counted before its question goes out, in the same step that puts the question on record, and taken off again
once it is known that nothing was billed. So no number of processes, nor of parts of one run, exceeds a cap, and a
question that a crash cut off counts as spent, as its answer counts as lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, bindparam, select, update

from ..model.caps import CapKind, CapReached, Caps, in_micros
from . import schema
from .sql import insert_missing, moment

_TABLE = schema.spending

_NO_CAP = 2**62

# Made once: each question goes through these.
_ADD = (
    update(_TABLE)
    .where(
        _TABLE.c.scope == bindparam("in_scope"),
        _TABLE.c.lookups < bindparam("most_lookups"),
        _TABLE.c.cost + bindparam("price") <= bindparam("most_cost"),
    )
    .values(lookups=_TABLE.c.lookups + 1, cost=_TABLE.c.cost + bindparam("price"))
)
_TAKE_OFF = (
    update(_TABLE)
    .where(_TABLE.c.scope == bindparam("in_scope"))
    .values(lookups=_TABLE.c.lookups - bindparam("count"), cost=_TABLE.c.cost - bindparam("amount"))
)
_STANDING = select(_TABLE.c.lookups, _TABLE.c.cost).where(_TABLE.c.scope == bindparam("in_scope"))


@dataclass(frozen=True, slots=True)
class Reserved:
    """One lookup that counts as spent: its price in millionths of the currency, and the day (UTC) it was asked on."""

    price: int
    day: date


class Purse:
    """What one run may spend, under caps that it shares with all other processes on the store.

    Every part of a run has the run's id, and so the run's caps. Its methods work within the caller's transaction.
    """

    def __init__(self, run_id: str, caps: Caps) -> None:
        self.caps = caps
        self._run = f"run:{run_id}"
        self._run_most = self._most(CapKind.RUN_LOOKUPS, CapKind.RUN_COST)
        self._day_most = self._most(CapKind.DAY_LOOKUPS, CapKind.DAY_COST)

    def reserve(self, connection: Connection, price: float, now: datetime) -> Reserved | CapReached:
        """Count one lookup at that price as spent, unless a cap forbids it; ``now`` (UTC) counts without a server."""
        reserved = Reserved(in_micros(price), moment(connection, now).astimezone(UTC).date())
        # The run first, then the day: processes that lock rows in one order never wait for each other in a circle.
        if not self._add(connection, self._run, self._run_most, reserved):
            return self._find_cap(connection, self._run, (CapKind.RUN_LOOKUPS, CapKind.RUN_COST), reserved)

        day = self._day(reserved.day)
        if not self._add(connection, day, self._day_most, reserved):
            self._take_off(connection, self._run, 1, reserved.price)
            return self._find_cap(connection, day, (CapKind.DAY_LOOKUPS, CapKind.DAY_COST), reserved)
        return reserved

    def give_back(self, connection: Connection, unbilled: Iterable[Reserved]) -> None:
        """Take lookups off again for which surely nothing was billed."""
        counts, amounts = Counter[str](), Counter[str]()
        for each in unbilled:
            for scope in (self._run, self._day(each.day)):
                counts[scope] += 1
                amounts[scope] += each.price

        for scope in sorted(counts, reverse=True):  # in the order of reserving
            self._take_off(connection, scope, counts[scope], amounts[scope])

    def settle(self, connection: Connection, reserved: Reserved, charged: int) -> None:
        """Count a lookup at what it was charged, in millionths of the currency, in place of its price.

        A cap may be exceeded by what providers charge above the price that is set; nothing more is bought then.
        """
        if charged != reserved.price:
            for scope in (self._run, self._day(reserved.day)):  # in the order of reserving
                self._take_off(connection, scope, 0, reserved.price - charged)

    def left(self, connection: Connection, price: float, now: datetime) -> tuple[int, CapReached] | None:
        """Return how many lookups at that price a run that begins now may buy, and the cap that it meets then.

        None where no cap holds it down. ``now`` (UTC) counts without a server.
        """
        today = moment(connection, now).astimezone(UTC).date()
        spent = connection.execute(_STANDING, {"in_scope": self._day(today)}).one_or_none() or (0, 0)
        used = dict(zip((CapKind.DAY_LOOKUPS, CapKind.DAY_COST), spent, strict=True))

        found = []
        for kind in CapKind:
            most, unit = self.caps.most(kind), in_micros(price) if kind.of_money else 1
            if most is not None and unit:
                count = max(0, most - used.get(kind, 0)) // unit
                then = used.get(kind, 0) + count * unit
                found.append((count, CapReached(kind, most, then, self.caps.currency, today)))
        return min(found, key=lambda each: each[0], default=None)

    def _most(self, lookups: CapKind, cost: CapKind) -> tuple[int, int]:
        caps = (self.caps.most(lookups), self.caps.most(cost))
        return tuple(_NO_CAP if cap is None else cap for cap in caps)  # type: ignore[return-value]  # two in, two out

    def _day(self, day: date) -> str:
        return f"day:{day.isoformat()}:{self.caps.currency}"

    def _add(self, connection: Connection, scope: str, most: tuple[int, int], reserved: Reserved) -> bool:
        values = {"in_scope": scope, "most_lookups": most[0], "most_cost": most[1], "price": reserved.price}
        if connection.execute(_ADD, values).rowcount:
            return True

        began = datetime.combine(reserved.day, datetime.min.time(), UTC)
        row = {"scope": scope, "began_at": began, "lookups": 0, "cost": 0}
        insert_missing(connection, _TABLE, [row])
        # Tried again also where another process has made the row meanwhile: that is no cap.
        return bool(connection.execute(_ADD, values).rowcount)

    def _take_off(self, connection: Connection, scope: str, count: int, amount: int) -> None:
        connection.execute(_TAKE_OFF, {"in_scope": scope, "count": count, "amount": amount})

    def _find_cap(
        self, connection: Connection, scope: str, kinds: tuple[CapKind, CapKind], refused: Reserved
    ) -> CapReached:
        """Return which of the two caps of a scope, numbers and money, has no room for the lookup."""
        lookups, cost = connection.execute(_STANDING, {"in_scope": scope}).one()
        most = self.caps.most(kinds[0])
        if most is not None and lookups >= most:
            return CapReached(kinds[0], most, lookups, self.caps.currency, refused.day)
        return CapReached(kinds[1], self.caps.most(kinds[1]) or 0, cost, self.caps.currency, refused.day)
