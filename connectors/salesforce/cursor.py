"""How far an object has been read, as the text that the core stores."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.core.errors import StateError

from .fields import read_moment, write_moment

OVERLAP = timedelta(seconds=300)
"""How far a window reaches back behind the one before it.

``latestDateCovered`` already waits for running transactions. The overlap is for rows that still show up late with an
old stamp, as others who poll Salesforce report; reading a row again costs little, because what is fresh is skipped.
"""

_VERSION = 2
_READABLE = (1, 2)  # version 1 knew no jobs


@dataclass(frozen=True, slots=True)
class JobPosition:
    """How far the results of a query job have been read: ``locator`` is the page that comes next, None for the first
    one; ``rows`` is how many rows the pages before it hold.
    """

    id: str
    locator: str | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next read of one object starts.

    A full read goes on behind the id ``after``; ``since`` is the watermark taken before its first page, None until it
    is taken. Otherwise everything that changed up to ``since`` has been read; with ``after`` the window was left there,
    in the middle of that second, behind that id.

    With a ``job`` the rest of that read is among its results, and once they are all read everything up to ``until`` is.
    When the job is gone, the read starts from ``since`` and ``after`` as it would have without it.

    ``individuals`` tells that what Individuals say has been read up to ``since`` too.
    """

    full: bool
    since: datetime | None = None
    after: str | None = None
    job: JobPosition | None = None
    until: datetime | None = None
    individuals: bool = False

    def dump(self) -> str:
        """Return the cursor text."""
        content: dict[str, Any] = {
            "v": _VERSION,
            "full": self.full,
            "since": write_moment(self.since) if self.since else None,
            "after": self.after,
        }
        if self.job and self.until:
            content["job"] = [self.job.id, self.job.locator, self.job.rows]
            content["until"] = write_moment(self.until)
        if self.individuals:
            content["individuals"] = True

        return json.dumps(content)


def read_position(cursor: str | None) -> Position:
    """Return the position in a cursor text; None asks for a full read. Raises StateError for any other text."""
    if cursor is None:
        return Position(full=True)

    try:
        content = json.loads(cursor)
        version = content["v"]
        since = read_moment(content["since"]) if content["since"] else None
        told = bool(content.get("individuals"))
        job, until = _read_job(content)
        position = Position(bool(content["full"]), since, content["after"], job, until, told)
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(*_UNREADABLE) from error

    if version not in _READABLE or (since is None and not position.full):
        raise StateError(*_UNREADABLE)

    return position


def _read_job(content: dict[str, Any]) -> tuple[JobPosition, datetime] | tuple[None, None]:
    if content.get("job") is None:
        return None, None
    job_id, locator, rows = content["job"]
    return JobPosition(job_id, locator, rows), read_moment(content["until"])


_UNREADABLE = ("A stored Salesforce cursor cannot be read by this version.", "Run `ringfence sync salesforce --full`.")
