"""The undo list of a request: what it wrote can be taken back as a whole."""

from __future__ import annotations

from collections.abc import Callable


class Journal:
    """Collects the reversal of each write, newest last."""

    def __init__(self) -> None:
        self._reversals: list[Callable[[], None]] = []

    def note(self, reversal: Callable[[], None]) -> None:
        """Remember how to take back a write that has just been made."""
        self._reversals.append(reversal)

    def mark(self) -> int:
        """Return a point that roll_back can return to."""
        return len(self._reversals)

    def roll_back(self, mark: int = 0) -> None:
        """Take back every write since the mark, newest first."""
        while len(self._reversals) > mark:
            self._reversals.pop()()
