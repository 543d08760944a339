"""The undo list of a request, so that everything it wrote can be rolled back."""

from __future__ import annotations

from collections.abc import Callable


class Journal:
    """The reversals of the writes of a request, newest last."""

    def __init__(self) -> None:
        self._reversals: list[Callable[[], None]] = []

    def note(self, reversal: Callable[[], None]) -> None:
        """Add the reversal of a write that has just been made."""
        self._reversals.append(reversal)

    def mark(self) -> int:
        """Return the present point, for roll_back."""
        return len(self._reversals)

    def roll_back(self, mark: int = 0) -> None:
        """Reverse every write since the mark, newest first."""
        while len(self._reversals) > mark:
            self._reversals.pop()()
