"""The objects that accounts' mappings read, kept for a while: a request cannot wait for a file to be read."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from ringfence.core.model.shapes import ObjectShape

from ..wiring import Wiring

KEPT_S = 60.0
"""For how many seconds a mapping is believed before its file is read again."""


class MappedObjects:
    """The shapes of accounts by object name. Safe with threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Mapping[str, ObjectShape]]] = {}

    def of(self, wiring: Wiring) -> Mapping[str, ObjectShape]:
        """Return the shapes under the mapping of the wiring's account. Raises what :meth:`Wiring.mapping` does."""
        now = wiring.clock.monotonic()
        with self._lock:
            kept = self._kept.get(wiring.name)
            if kept is None or now - kept[0] >= KEPT_S:
                kept = self._kept[wiring.name] = now, wiring.shapes(wiring.name)
            return kept[1]
