"""Executions of workflow actions that the portal waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class Waiting:
    """An execution that was answered with BLOCK: until when it waits, and with what it was completed.

    `completions` holds what each call that wanted to complete it said, with its moment: more than one is one too many.
    """

    expires_at: datetime
    completions: list[tuple[datetime, Mapping[str, str]]] = field(default_factory=list)


class Workflows:
    """The executions of a portal that wait, by their callback ids. The portal's lock guards them."""

    def __init__(self) -> None:
        self.waiting: dict[str, Waiting] = {}

    def block(self, callback_id: str, now: datetime, lasts: timedelta) -> None:
        """Let an execution wait; one that does already goes on to."""
        known = self.waiting.setdefault(callback_id, Waiting(now + lasts))
        known.expires_at = now + lasts
