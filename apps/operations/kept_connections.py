"""The connections of a worker, kept from one part of a run to the next: log-in and schema take calls."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import Crm
from ringfence.core.ports.lookup import Lookup

MOST_KEPT = 8
"""Connections that wait for the next part; a worker of many accounts lets go of those that have waited longest."""


@dataclass(slots=True)
class Bench:
    """A CRM account that is ready, with the lookup providers: all that a part of a run is worked at with.

    ``counted`` holds the calls, by purpose, that earlier parts have counted as theirs; ``shapes`` are those of the
    mapping that the account was connected with, where the work itself does not bring them.
    """

    crm: Crm
    lookups: Sequence[Lookup]
    counted: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, ObjectShape] = field(default_factory=dict)

    def close(self) -> None:
        """Close the connections."""
        self.crm.close()
        for lookup in self.lookups:
            lookup.close()


class KeptConnections:
    """Benches by account and run. Safe with threads: one that is lent is nobody else's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[tuple[str, str, Bench]] = []

    @contextmanager
    def lend(self, account: str, run_id: str, connect: Callable[[], Bench]) -> Iterator[Bench]:
        """Yield a bench that an earlier part of the run has left, else a new one.

        It is kept for the next part unless the work at this one ends with an error.
        """
        bench = self._take(account, run_id) or connect()
        try:
            yield bench
        except BaseException:
            bench.close()
            raise
        bench.counted = Counter(bench.crm.calls)
        self._keep(account, run_id, bench)

    def close(self) -> None:
        """Close all that is kept."""
        with self._lock:
            kept, self._kept = self._kept, []
        for _, _, bench in kept:
            bench.close()

    def _take(self, account: str, run_id: str) -> Bench | None:
        with self._lock:
            for at, (of_account, of_run, bench) in enumerate(self._kept):
                if (of_account, of_run) == (account, run_id):
                    del self._kept[at]
                    return bench
        return None

    def _keep(self, account: str, run_id: str, bench: Bench) -> None:
        """Keep it; an account has one run at a time, so that those of an earlier run have served."""
        with self._lock:
            served = [old for of_account, of_run, old in self._kept if of_account == account and of_run != run_id]
            kept = [each for each in self._kept if each[2] not in served]
            self._kept = [*kept, (account, run_id, bench)][-MOST_KEPT:]
            served += [old for _, _, old in kept[: len(kept) + 1 - MOST_KEPT]]
        for old in served:
            old.close()
