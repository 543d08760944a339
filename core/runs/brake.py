"""What holds a run back from everything but silencing, once something has gone wrong that must not be written over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Brake:
    """Pulled by a guard, or by whatever ends the reading: from then on opt-outs are enforced and nothing else is.

    ``error`` is the first that pulled it, None while the run goes on. Once it is pulled, no verdict but
    ``do_not_contact`` is written, no number is looked up and no cursor moves, so that the next run finds the rest.
    """

    error: Exception | None = None

    @property
    def pulled(self) -> bool:
        """Return whether the run only silences from now on."""
        return self.error is not None

    def pull(self, error: Exception) -> None:
        """Hold the run back; the first error stays the one that is told."""
        self.error = self.error or error
