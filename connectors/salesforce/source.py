"""One mapped object as a source of records: its fields, its filter, and the position where reading starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ringfence.core.model.values import Companion, Record
from ringfence.core.model.verdicts import Status

from ..http.batches import in_batches
from .cursor import OVERLAP, Position
from .fields import CONTACT_OF_LEAD, RowReader, companions_of, is_lead
from .individuals import AT_ONCE, Individuals
from .soql import (
    BY_STAMP,
    Query,
    after_id,
    after_stamp,
    any_of,
    beside_others,
    due,
    flag_up,
    literal,
    silenced,
    since,
    withdrawn,
)


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """One object: the reader of its rows, the mapping's SOQL condition, and where reading starts.

    ``hidden`` names the fields that no condition may name, such as encrypted ones; ``flag_types`` are the types of
    the opt-out fields, as far as they are known. ``lacking`` names the fields about a record's past that cannot be
    asked for. ``individuals`` are those of the org, where the object's records name theirs.
    """

    rows: RowReader
    scope: str | None
    position: Position
    hidden: frozenset[str] = frozenset()
    flag_types: Mapping[str, str] = field(default_factory=dict, hash=False)
    lacking: frozenset[str] = frozenset()
    individuals: Individuals | None = field(default=None, hash=False, compare=False)

    @property
    def name(self) -> str:
        """Return the object's name."""
        return self.rows.shape.name

    def query(self, *conditions: str) -> Query:
        """Return a query for whole records."""
        left = (f"{self.rows.left} = false",) if self.rows.left else ()
        return Query(self.name, self.rows.fields, (*left, *conditions))

    def flagged(self) -> Query | None:
        """Return the query for opt-outs, or None where the mapping names no flag; :meth:`matters` judges its rows.

        It has no upper bound, so that it can share a call with the watermark. What is newer is read again next time.
        Converted leads are among its rows: nobody writes to them, but what they asked for holds.
        """
        if not self.rows.shape.heard:
            return None

        conditions = self.flag_conditions()
        if not self.position.full:
            matters = [any_of([*conditions, *silenced(self.rows.shape)])] if conditions else []
            conditions = [self.lower_bound(), *matters]
        return self._flag_query(*conditions)

    def flagged_since(self, moment: datetime) -> Query | None:
        """Return the query for raised flags of records that changed since the moment.

        None where the mapping names no flag, or one that no condition may name: all that we wrote since would come.
        """
        conditions = self.flag_conditions()
        return self._flag_query(*conditions, since(moment)) if conditions else None

    def _flag_query(self, *conditions: str) -> Query:
        extra = (CONTACT_OF_LEAD,) if is_lead(self.rows.shape) and CONTACT_OF_LEAD not in self.lacking else ()
        left = (self.rows.left,) if self.rows.left else ()
        return Query(self.name, (*self.rows.fields, *left, *extra), (*self.heard_elsewhere(), *conditions))

    def linked(self) -> Query | None:
        """Return the query for records of the window that name an Individual; None where nobody asks for those."""
        if self.individuals is None or self.position.full:
            return None
        return self.query(self.lower_bound(), f"{self.rows.link} != null")

    def of_individuals(self, ids: Sequence[str]) -> list[Query]:
        """Return the queries for the records that name one of these Individuals."""
        return [
            self.query(f"{self.rows.link} IN ({','.join(map(literal, batch))})") for batch in in_batches(ids, AT_ONCE)
        ]

    def heard_elsewhere(self) -> tuple[str, ...]:
        """Return the condition that leaves out records whose flag the mapping of another object reads too."""
        return (f"{self.rows.left} = false",) if self.rows.deaf else ()

    def flag_conditions(self) -> list[str]:
        """Return the condition for a raised flag of any kind; none where one of the fields may not be named in one."""
        flags, consent = self.rows.shape.heard, self.rows.shape.consent
        if not flags or not self.hidden.isdisjoint(self.rows.shape.heard_fields()):
            return []

        conditions = []
        for flag in flags:
            kind = self.flag_types.get(flag.field)
            if consent is None or flag.field != consent.field:
                conditions.append(flag_up(flag, kind))
            elif kind is None:
                return []  # nobody can tell whether the field takes texts or true and false
            else:
                conditions.append(withdrawn(flag, kind))
        return conditions if len(conditions) == 1 else [any_of(conditions)]

    def matters(self, record: Record) -> bool:
        """Return whether a row of :meth:`flagged` tells of an opt-out, or that one has ended; queries may find more."""
        if self.rows.shape.opts_out(record):
            return True
        statuses = companions_of(self.rows.shape, Companion.STATUS)
        return not self.position.full and any(record.values[name] == Status.DO_NOT_CONTACT for name in statuses)

    def changed(self) -> Query:
        """Return the query for the records that changed since the position; for a full read, those not yet read.

        It has no upper bound: what is newer than the watermark is read now, and again by the next run, because the
        cursor stays behind the watermark.
        """
        position = self.position
        if position.full:
            return self.query(*([after_id(position.after)] if position.after else []))
        return replace(self.query(self.lower_bound()).ordered_by(BY_STAMP), start=position.since)

    def due(self, before: datetime) -> Query:
        """Return the query for the records in the filter with a filled slot never screened, or last before the moment.

        It finds records with an empty slot too where the phone field may not be named in a condition.
        """
        scope = [beside_others(self.scope)] if self.scope else []
        return self.query(due(self.rows.shape, before, self.hidden), *scope)

    def keep_due(self, records: Sequence[Record], before: datetime) -> Sequence[Record]:
        """Return those of the records found by :meth:`due` that have such a slot."""
        slots = [(slot.field, slot.companions.get(Companion.LAST_SCREENED)) for slot in self.rows.shape.slots]
        if self.hidden.isdisjoint(field for field, _ in slots):
            return records

        def is_due(record: Record) -> bool:
            filled = [record.values[last] if last else None for field, last in slots if record.values[field]]
            return any(not isinstance(moment, datetime) or moment < before for moment in filled)

        return [record for record in records if is_due(record)]

    def lower_bound(self) -> str:
        """Return the condition that a window starts with. Raises ValueError for a full read, which has no window."""
        position = self.position
        if position.since is None:
            raise ValueError("a window needs a start")
        if position.after is not None:
            return after_stamp(position.since, position.after)
        return since(position.since - OVERLAP)
