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


class Mode(StrEnum):
    """The kind of read that the cursor stands in."""

    FULL = "full"  # every record is being read
    WINDOW = "window"  # a window of changes is being read
    DONE = "done"  # everything up to ``until`` is read


class Position(BaseModel):
    """How far one object has been read; moments are in milliseconds since 1970.

    ``until`` is the watermark up to which everything is read once the mode is DONE. ``start`` is where the window
    begins. ``after`` is what the next page follows: the list's own token in a full read, the last id in a window.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Mode
    until: int
    start: int = 0
    after: str = START

    def dump(self) -> str:
        """Return the cursor text."""
        return self.model_dump_json(exclude_defaults=True)

    def done(self) -> Position:
        """Return the position once all of this one is read."""
        return Position(mode=Mode.DONE, until=self.until)

    def next_window(self, now_ms: int) -> Position:
        """Return the window that follows a position that is done."""
        return Position(mode=Mode.WINDOW, start=self.until - OVERLAP_MS, until=max(now_ms, self.until))


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
