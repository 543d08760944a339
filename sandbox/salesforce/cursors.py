"""Open query cursors: results wait two days for their next page (docs/vendors/salesforce.md, section 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import ApiError
from .ids import new_ids
from .soql.found import Found

LIFETIME = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A query result that has further pages."""

    found: Found
    size: int
    opened: datetime


class Cursors:
    """The cursors of an org, by the id in their locators."""

    def __init__(self) -> None:
        self._open: dict[str, Cursor] = {}
        self._ids = new_ids("01g")

    def open(self, found: Found, size: int, now: datetime) -> str:
        """Keep a result, `size` rows a page, and return the id that its locators start with."""
        self._open = {key: cursor for key, cursor in self._open.items() if now - cursor.opened < LIFETIME}
        key = next(self._ids)
        self._open[key] = Cursor(found, size, now)
        return key

    def resume(self, locator: str, now: datetime) -> tuple[str, Cursor, int]:
        """Return (id, cursor, offset) of a locator like `01g...-2000`; raises ApiError INVALID_QUERY_LOCATOR."""
        key, _, offset = locator.partition("-")
        cursor = self._open.get(key)
        if cursor is None or now - cursor.opened >= LIFETIME or not offset.isdigit():
            raise _invalid()
        if int(offset) >= len(cursor.found.rows):
            raise _invalid()
        return key, cursor, int(offset)

    def drop_all(self) -> None:
        """Forget every cursor, as when the service restarts."""
        self._open.clear()


def _invalid() -> ApiError:
    return ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
