"""One mapped object as a source of records: its fields, its filter, and the position where reading starts."""

from __future__ import annotations

from dataclasses import dataclass

from .cursor import OVERLAP, Position
from .fields import RowReader
from .soql import BY_STAMP, Query, after_id, after_stamp, base_conditions, flag_matters, flag_up, since


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """One object: the reader of its rows, the mapping's SOQL condition, and where reading starts."""

    rows: RowReader
    scope: str | None
    position: Position

    @property
    def name(self) -> str:
        """Return the object's name."""
        return self.rows.shape.name

    def query(self, *conditions: str) -> Query:
        """Return a query for whole records."""
        return Query(self.name, self.rows.fields, (*base_conditions(self.rows.shape), *conditions))

    def flagged(self) -> Query | None:
        """Return the query for opt-outs, or None where the mapping names no flag.

        It has no upper bound, so that it can share a call with the watermark. What is newer is read again next time.
        """
        flag = self.rows.shape.opt_out
        if flag is None:
            return None
        if self.position.full:
            return self.query(flag_up(flag))
        return self.query(self.lower_bound(), flag_matters(self.rows.shape, flag))

    def changed(self) -> Query:
        """Return the query for the records that changed since the position; for a full read, those not yet read.

        It has no upper bound: what is newer than the watermark is read now, and again by the next run, because the
        cursor stays behind the watermark.
        """
        position = self.position
        if position.full:
            return self.query(*([after_id(position.after)] if position.after else []))
        return self.query(self.lower_bound()).ordered_by(BY_STAMP)

    def lower_bound(self) -> str:
        """Return the condition that a window starts with. Raises ValueError for a full read, which has no window."""
        position = self.position
        if position.since is None:
            raise ValueError("a window needs a start")
        if position.after is not None:
            return after_stamp(position.since, position.after)
        return since(position.since - OVERLAP)
