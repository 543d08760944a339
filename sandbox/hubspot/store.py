"""The records of one object type; list, read and batch endpoints answer from here, search from the index."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from . import instants
from .index import SearchIndex

Version = tuple[int, str, dict[str, str], dict[str, str]]
"""The time, the source, the values set then, and those that they replaced."""


@dataclass(slots=True)
class Row:
    """One record. `properties` holds set values only, as HubSpot's strings; times are epoch milliseconds.

    `properties` is replaced, never changed, so that the search index may keep an old one.
    """

    id: int
    properties: dict[str, str]
    created: int
    modified: int
    archived_at: int | None = None
    versions: list[Version] = field(default_factory=list)


class ObjectStore:
    """All records of `kind` (CONTACT, COMPANY), found by id, by merged id and by e-mail address.

    `watch`, if set, is told of every record that is added or changed, with the values that it was given.
    """

    def __init__(self, kind: str, modified_property: str) -> None:
        self.kind = kind
        self.modified_property = modified_property
        self.rows: dict[int, Row] = {}
        self.order: list[int] = []
        self.recycled: list[int] = []
        self.merged: dict[int, int] = {}
        self.emails: dict[str, int] = {}
        self.index = SearchIndex(modified_property)
        self.watch: Callable[[Row, Mapping[str, str]], None] | None = None

    def add(self, record_id: int, properties: Mapping[str, str], created: int, modified: int) -> Row:
        """Add a record; the caller has checked the values and that the id and the e-mail address are free."""
        row = Row(record_id, {}, created, modified)
        row.properties = {
            **{name: value for name, value in properties.items() if value != ""},
            "hs_object_id": str(record_id),
            "createdate": instants.instant(created),
            self.modified_property: instants.instant(modified),
        }
        self.rows[record_id] = row

        if self.order and record_id < self.order[-1]:
            insort(self.order, record_id)
        else:
            self.order.append(record_id)

        if email := row.properties.get("email"):
            self.emails[email] = record_id

        self.index.put(record_id, row.properties, modified, at=modified)
        if self.watch is not None:
            self.watch(row, properties)
        return row

    def find(self, record_id: str, *, archived: bool = False) -> Row | None:
        """Return the record of an id, or the survivor when it was merged away; None when there is none."""
        number = int(record_id) if record_id.isascii() and record_id.isdigit() else -1
        while number in self.merged:
            number = self.merged[number]
        row = self.rows.get(number)
        return row if row is not None and (row.archived_at is not None) == archived else None

    def find_email(self, email: str) -> Row | None:
        """Return the live record that has this e-mail address."""
        number = self.emails.get(email.lower())
        return None if number is None else self.rows[number]

    def is_merged_away(self, record_id: str) -> bool:
        """True for an id that no longer names a record of its own."""
        return record_id.isascii() and record_id.isdigit() and int(record_id) in self.merged

    def page(self, after: int, limit: int, *, archived: bool) -> list[Row]:
        """Return up to `limit` records with an id of `after` or above, in the order of ids."""
        order = self.recycled if archived else self.order
        start = bisect_left(order, after)
        return [self.rows[record_id] for record_id in order[start : start + limit]]

    def update(self, row: Row, values: Mapping[str, str], now: int, source: str, *, noop_bumps: bool) -> None:
        """Set the values ("" clears) at `now`; `source` is the sourceType of the history."""
        changed = {name: value for name, value in values.items() if row.properties.get(name, "") != value}
        if not changed and not noop_bumps:
            return

        modified = max(now, row.modified)
        properties = {**row.properties, **changed, self.modified_property: instants.instant(modified)}
        for name in [name for name, value in changed.items() if value == ""]:
            del properties[name]

        if "email" in changed:
            self.emails.pop(row.properties.get("email", ""), None)
            if changed["email"]:
                self.emails[changed["email"]] = row.id

        if changed:
            before = {name: row.properties.get(name, "") for name in changed}
            row.versions.append((now, source, changed, before))

        row.properties = properties
        row.modified = modified
        self.index.put(row.id, properties, modified, at=now)
        if self.watch is not None:
            self.watch(row, changed)

    def archive(self, row: Row, now: int) -> None:
        """Move a record to the recycle bin; the index drops it when it catches up."""
        row.archived_at = now
        del self.order[bisect_left(self.order, row.id)]
        insort(self.recycled, row.id)
        self.emails.pop(row.properties.get("email", ""), None)
        self.index.drop(row.id, at=now)

    def absorb(self, row: Row, survivor: int, now: int) -> None:
        """Remove a record that was merged into another: it is not archived, and its id leads to the survivor."""
        del self.order[bisect_left(self.order, row.id)]
        del self.rows[row.id]
        self.emails.pop(row.properties.get("email", ""), None)
        self.merged[row.id] = survivor
        self.index.drop(row.id, at=now)

    def purge(self, row: Row, now: int) -> None:
        """Remove a record for good, archived or not."""
        order = self.order if row.archived_at is None else self.recycled
        del order[bisect_left(order, row.id)]
        del self.rows[row.id]
        if self.emails.get(row.properties.get("email", "")) == row.id:
            del self.emails[row.properties["email"]]
        self.index.drop(row.id, at=now)

    def set_modified(self, record_ids: Iterable[str], when: int) -> None:
        """Give records one modification time, as HubSpot's own batch jobs do; the index knows at once."""
        text = instants.instant(when)
        for record_id in record_ids:
            row = self.rows[int(record_id)]
            row.modified = when
            row.properties = {**row.properties, self.modified_property: text}
            self.index.put(row.id, row.properties, when, at=0)
