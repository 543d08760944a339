"""What signals tell of lines, collected over a batch of them and then kept all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from ..evidence.intake import EvidenceIntake
from ..evidence.signs import sign_of
from ..model.signals import Signal
from ..model.signs import NumberSign
from ..state.evidence import EvidenceStore


class HeardNews:
    """Collects signals by E.164 number, heard at the moment ``now`` (aware UTC). Of numbers that were erased it keeps
    nothing.
    """

    def __init__(self, store: EvidenceStore, intake: EvidenceIntake, now: datetime) -> None:
        self._store = store
        self._intake = intake
        self._now = now
        self._told: list[tuple[str, Signal]] = []
        self._signs: defaultdict[str, list[NumberSign]] = defaultdict(list)

    def add(self, numbers: Iterable[str], signal: Signal) -> None:
        """Note a signal about any of these numbers, to be kept with the others."""
        self._told += [(number, signal) for number in numbers]

    def keep_one(self, connection: Connection, number: str, signal: Signal) -> bool:
        """Keep the evidence of one signal now, because something rests on it; return whether it was kept."""
        is_kept = self._store.add(connection, number, signal, self._now)
        if is_kept:
            self._weigh(number, signal)
        return is_kept

    def keep(self, connection: Connection) -> None:
        """Keep the evidence that was noted, and let all signs count."""
        erased = self._store.add_all(connection, self._told, self._now)
        for number, signal in self._told:
            if number not in erased:
                self._weigh(number, signal)
        if self._signs:
            self._intake.take_in(connection, self._signs)

    def _weigh(self, number: str, signal: Signal) -> None:
        if (sign := sign_of(signal)) is not None:
            self._signs[number].append(sign)
