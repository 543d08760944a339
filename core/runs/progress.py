"""What is told to whoever watches a run."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Shows how far a run has come."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Show that a phase of the run begins; ``total`` is how many records it holds, where that is known."""
        ...

    def advance(self, records: int) -> None:
        """Show that so many more records have an outcome."""
        ...

    def bought(self, lookups: int, cost: float = 0.0, currency: str = "") -> None:
        """Show how many lookups the run has bought so far, and what they cost."""
        ...


class NoProgress:
    """Progress that nobody watches."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Show nothing."""

    def advance(self, records: int) -> None:
        """Show nothing."""

    def bought(self, lookups: int, cost: float = 0.0, currency: str = "") -> None:
        """Show nothing."""
