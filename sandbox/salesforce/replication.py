"""`/updated` and `/deleted`: which rows changed in a window, and how far that answer can be trusted.

Seconds are cut from both bounds; the window may reach back 30 days (15 for deletes); `latestDateCovered` is held back
to the start of the oldest transaction that is still running (docs/vendors/salesforce.md, section 3).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .errors import ApiError, not_found
from .journal import Journal
from .state import OrgState
from .table import Row, Table, Value
from .wire import Answer, Call, parse_moment, stamp_text
from .writes import change_row, find_row

UPDATED_REACH = timedelta(days=30)
DELETED_REACH = timedelta(days=15)


class LongTransaction:
    """Edits of a person that are stamped when the transaction starts and become visible when it commits."""

    def __init__(self, org: OrgState, started: datetime) -> None:
        self.started = started
        self._org = org
        self._edits: list[tuple[str, str, dict[str, Value]]] = []

    def update(self, object_name: str, row_id: str, **fields: Value) -> None:
        """Change a row inside the transaction; nobody sees it yet."""
        self._edits.append((object_name, row_id, fields))

    def commit(self) -> None:
        """Make the edits visible, with the stamp of the start."""
        org = self._org
        with org.lock:
            org.transactions.remove(self)
            for object_name, row_id, fields in self._edits:
                table = org.table(object_name)
                row = find_row(table, row_id)
                change_row(table, row, fields, org.human_id, stamp_text(self.started), Journal())


def updated_rows(org: OrgState, call: Call, object_name: str) -> Answer:
    """Answer `/sobjects/{object}/updated?start=&end=`."""
    first, last, covered = _window(org, call, UPDATED_REACH)
    rows = _changed(_replicated(org, object_name), first, last)
    ids = [row["Id"] for row in rows if row["IsDeleted"] is not True]
    return Answer(200, {"ids": ids, "latestDateCovered": covered})


def deleted_rows(org: OrgState, call: Call, object_name: str) -> Answer:
    """Answer `/sobjects/{object}/deleted?start=&end=`."""
    first, last, covered = _window(org, call, DELETED_REACH)
    rows = _changed(_replicated(org, object_name), first, last)
    found = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in rows if row["IsDeleted"] is True]
    earliest = stamp_text(_minute(org.clock.now() - DELETED_REACH))
    return Answer(200, {"deletedRecords": found, "earliestDateAvailable": earliest, "latestDateCovered": covered})


def _replicated(org: OrgState, object_name: str) -> Table:
    table = org.table(object_name)
    if table.spec.plain:
        raise not_found()
    return table


def _changed(table: Table, first: str, last: str) -> list[Row]:
    return [row for row in table.scan() if first <= str(row["SystemModstamp"]) <= last]


def _window(org: OrgState, call: Call, reach: timedelta) -> tuple[str, str, str]:
    start, end = _bound(call, "start"), _bound(call, "end")
    now = org.clock.now()
    if start < _minute(now - reach):
        raise _bad_date(f"startDate before org replication enabled date: it may be at most {reach.days} days ago")
    if end - start < timedelta(minutes=1):
        raise _bad_date("endDate must be at least one minute greater than startDate")
    covered = min([end, _minute(now), *(_minute(transaction.started) for transaction in org.transactions)])
    return stamp_text(start), stamp_text(end), stamp_text(covered)


def _bound(call: Call, name: str) -> datetime:
    text = call.query.get(name)
    if text is None:
        raise ApiError(400, "MISSING_ARGUMENT", f"{name} parameter is required")
    try:
        return _minute(parse_moment(text))
    except ValueError:
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"invalid date: {text}") from None


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _bad_date(message: str) -> ApiError:
    return ApiError(400, "INVALID_REPLICATION_DATE", message)
