"""How far an answer without the provider's own sign is believed.

Plivo says that a number does not exist with a 404, and so does a web server of a path that does not exist. Where the
body does not tell them apart, the address does: one that has told about another number, or that the file itself names,
is the provider's. An address that somebody has set and that never told anything may be anybody's, and a provider that
has moved its service answers 404 to everything; so such an answer is no answer there, and of those that come in a row
no more than a few are believed.
"""

from __future__ import annotations

from threading import Lock

MOST_IN_A_ROW = 3
"""Numbers come from the numbering plan's list of those that can exist, so that hardly one does not."""


class Standing:
    """What an address is known to be. ``known`` tells whether it is the provider's. Safe with threads."""

    def __init__(self, *, known: bool) -> None:
        self._known = known
        self._in_a_row = 0
        self._lock = Lock()

    @property
    def known(self) -> bool:
        """Return whether the address is the provider's."""
        return self._known

    def note_answer(self) -> None:
        """Take into account that the provider has told about a number."""
        with self._lock:
            self._known, self._in_a_row = True, 0

    def believes(self) -> bool:
        """Return whether one more answer without a sign is believed."""
        with self._lock:
            self._in_a_row += 1
            return self._known and self._in_a_row <= MOST_IN_A_ROW
