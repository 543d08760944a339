"""How far an object has been read, as the text that the core stores."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.core.errors import StateError

from .fields import read_moment, write_moment

OVERLAP = timedelta(seconds=300)
"""How far a window reaches back behind the one before it.

``latestDateCovered`` already waits for running transactions. The overlap is for rows that still show up late with an
old stamp, as others who poll Salesforce report; reading a row again costs little, because what is fresh is skipped.
"""

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next read of one object starts.

    A full read goes on behind the id ``after``; ``since`` is the watermark taken before its first page, None until it
    is taken. Otherwise everything that changed up to ``since`` has been read; with ``after`` the window was left there,
    in the middle of that second, behind that id.
    """

    full: bool
    since: datetime | None = None
    after: str | None = None

    def dump(self) -> str:
        """Return the cursor text."""
        since = write_moment(self.since) if self.since else None
        return json.dumps({"v": _VERSION, "full": self.full, "since": since, "after": self.after})


def read_position(cursor: str | None) -> Position:
    """Return the position in a cursor text; None asks for a full read. Raises StateError for any other text."""
    if cursor is None:
        return Position(full=True)
    try:
        content = json.loads(cursor)
        version = content["v"]
        since = read_moment(content["since"]) if content["since"] else None
        position = Position(bool(content["full"]), since, content["after"])
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(*_UNREADABLE) from error
    if version != _VERSION or (since is None and not position.full):
        raise StateError(*_UNREADABLE)
    return position


_UNREADABLE = ("A stored Salesforce cursor cannot be read by this version.", "Run `ringfence sync salesforce --full`.")
