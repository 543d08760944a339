"""The cursor of one object: how far it has been read, as the text that the core stores between runs."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError

from ringfence.core.errors import StateError

from .paging import START

OVERLAP_MS = 3_600_000
"""How far a window reaches back behind the one before it, in milliseconds: HubSpot's index was seen an hour late.

Rows that are read twice cost one call for 200, because a fresh record is skipped on the data of the search alone.
"""

MAX_SETTLED = 2
"""Settled echoes that a window leaves out at once; each takes a search of its own."""


class Mode(StrEnum):
    """The kind of read that the cursor stands in."""

    FULL = "full"  # every record is being read
    ECHO = "echo"  # our own writes are being read back
    WINDOW = "window"  # a window of changes is being read
    DONE = "done"  # everything up to ``until`` is read


class Settled(BaseModel):
    """Writes of our own that were read back, so that no window has to bring them again.

    Every record screened at or after ``since`` (by our clock) and modified at or before ``until`` (by HubSpot's) was
    written by us, and has been read by its id after ``until``. Both are in milliseconds since 1970.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int
    until: int


class Position(BaseModel):
    """How far one object has been read; moments are in milliseconds since 1970.

    ``until`` is the watermark up to which everything is read once the mode is DONE. ``start`` is where the window
    begins, or from when on our own writes are read back. ``after`` is what the next page follows: the list's own token
    in a full read, the last id in a window, the moment of the last batch in an echo, whose ``bound`` is where it will
    be settled up to, ``found`` how many of its records belong to what is settled by that, and ``moved`` which of them
    somebody has changed since, which a lagging index may not know yet. ``settled`` is what windows leave out, oldest
    first, and ``own_since`` the moment (by our clock) from which on our own writes are not among it. ``bin_read`` is
    when the recycle bin was read last, and ``bin_large`` whether that took many calls.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Mode
    until: int
    start: int = 0
    after: str = START
    bound: int = 0
    found: int = 0
    moved: tuple[str, ...] = ()
    settled: tuple[Settled, ...] = ()
    own_since: int = 0
    bin_read: int = 0
    bin_large: bool = False

    def dump(self) -> str:
        """Return the cursor text."""
        return self.model_dump_json(exclude_defaults=True)

    def done(self) -> Position:
        """Return the position once all of this one is read."""
        return self.model_copy(
            update={"mode": Mode.DONE, "start": 0, "after": START, "bound": 0, "found": 0, "moved": ()}
        )

    def next_window(self, now_ms: int) -> Position:
        """Return the window that follows a position that is done."""
        start = self.until - OVERLAP_MS
        return self.model_copy(
            update={
                "mode": Mode.WINDOW,
                "start": start,
                "until": max(now_ms, self.until),
                "settled": tuple(each for each in self.settled if each.until >= start),
            }
        )

    def settle(self) -> Position:
        """Return the position once an echo has been read back and is found to hold nobody else's writes."""
        echo = Settled(since=self.start, until=self.bound)
        return self.done().model_copy(update={"settled": (*self.settled, echo)[-MAX_SETTLED:]})


def read_position(text: str | None, now_ms: int) -> Position:
    """Return the position of a cursor, and the start of a full read for None. Raises StateError."""
    if text is None:
        return Position(mode=Mode.FULL, until=now_ms)

    try:
        return Position.model_validate_json(text)
    except ValidationError as error:
        raise StateError(
            "The stored position in HubSpot cannot be read.", "Run again with --full to start over; nothing is lost."
        ) from error
