"""A query that takes Salesforce too long, in pieces: ranges of ids or stamps, halved until each is answered in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.core.errors import UnreachableError

from .client import Row, SalesforceClient
from .composite import query_subrequest
from .errors import QueryTimeoutError
from .fields import STAMP
from .id_numbers import read_id, write_id
from .soql import BY_ID, Query, literal

FIRST_PIECES = 8
"""Pieces to begin with. Each one that times out takes two minutes, each one that is too small a call."""

PATIENCE = 24
"""Pieces of one query that may time out, before Salesforce is taken to be in trouble."""

_EMPTY: Row = {"totalSize": 0, "done": True, "records": []}


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from ``low`` to below ``high``; at an open end it takes in whatever lies beyond."""

    low: int
    high: int
    open_below: bool = False
    open_above: bool = False

    @property
    def width(self) -> int:
        """Return how many numbers lie in it."""
        return self.high - self.low

    def halves(self) -> tuple[Range, Range]:
        """Return both halves, the lower one first."""
        middle = (self.low + self.high) // 2
        return Range(self.low, middle, self.open_below), Range(middle, self.high, open_above=self.open_above)


class Pieces:
    """The pieces of one query, in its order: a reader that stops between two of them goes on behind the last row."""

    def __init__(self, client: SalesforceClient, query: Query, purpose: str) -> None:
        self._client = client
        self._query = query
        self._purpose = purpose

    def read(self) -> Iterator[tuple[Query, Row, bool]]:
        """Yield each piece as a query, its first page, and whether it is the last piece.

        Raises UnreachableError where the smallest piece, or too many of them, time out.
        """
        whole = self._ids() if self._query.order == BY_ID else self._seconds()
        if whole is None:
            yield self._query, _EMPTY, True
            return

        widest, timed_out = max(1, -(-whole.width // FIRST_PIECES)), 0
        left = [whole]

        while left:
            piece = left.pop()
            if piece.width > widest:
                left += reversed(piece.halves())
                continue

            query = self._query.narrowed(self._condition(piece))
            page = self._first_page(query)
            if not isinstance(page, QueryTimeoutError):
                yield query, page, not left
                continue

            timed_out += 1
            if piece.width <= 1 or timed_out > PATIENCE:
                raise UnreachableError(page.message, "Run again later, when Salesforce has less to do.")
            widest = piece.width // 2
            left.append(piece)

    def _first_page(self, query: Query) -> Row | QueryTimeoutError:
        subrequest = query_subrequest(query.soql(), deleted_too=query.deleted_too)
        page: Row | QueryTimeoutError = self._client.read_together([subrequest], self._purpose, "a query")[0]
        return page

    def _ids(self) -> Range | None:
        """Return the range of the object's ids, None where it has no record."""
        # Where the rest of a query is read, what lies in front of it is none of our business.
        behind = tuple(each for each in self._query.conditions if each.startswith(("Id >", "(Id ")))
        ends = Query(self._query.object, ("Id",), behind, deleted_too=self._query.deleted_too)
        texts = (f"{ends.soql()} LIMIT 1", f"{ends.soql()} DESC LIMIT 1")
        subrequests = [query_subrequest(text, deleted_too=ends.deleted_too) for text in texts]

        pages = self._client.read_together(subrequests, self._purpose, "the ends of the ids")
        for page in pages:
            if isinstance(page, QueryTimeoutError):
                raise UnreachableError(page.message, "Run again later, when Salesforce has less to do.")

        found = [read_id(row["Id"]) for page in pages for row in page["records"]]
        return Range(min(found), max(found) + 1, open_below=True, open_above=True) if found else None

    def _seconds(self) -> Range:
        """Return the range from the start of the window up to now; what is older or newer than that belongs to it."""
        now = self._client.server_now() or datetime.now(UTC)
        start = int((self._query.start or now).timestamp())
        return Range(start, max(int(now.timestamp()), start) + 1, open_below=True, open_above=True)

    def _condition(self, piece: Range) -> str:
        name, write = ("Id", _id) if self._query.order == BY_ID else (STAMP, _moment)
        return _between(name, write, piece)


def _between(name: str, write: Callable[[int], str], piece: Range) -> str:
    low = [] if piece.open_below else [f"{name} >= {write(piece.low)}"]
    high = [] if piece.open_above else [f"{name} < {write(piece.high)}"]
    return f"({' AND '.join(low + high) or f'{name} != null'})"


def _id(number: int) -> str:
    return literal(write_id(number))


def _moment(seconds: int) -> str:
    return literal(datetime.fromtimestamp(seconds, UTC))
