"""What stands in the webhooks journal of the portal's app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Journal:
    """What the app has subscribed to; `dropped` entries are older than the journal reaches."""

    entries: list[Sequence[Mapping[str, Any]]] = field(default_factory=list)
    dropped: int = 0

    def publish(self, *events: Mapping[str, Any]) -> None:
        """Let events stand in the journal as one entry."""
        self.entries.append(events)
