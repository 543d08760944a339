"""What became of each record of a run, counted once, also where the run meets it again."""

from __future__ import annotations

from ..suppression.record_reader import Key

WRITTEN, UNCHANGED, CONFLICTS, FAILED, DEFERRED = "written", "unchanged", "conflicts", "failed", "deferred"

_RANKS = {UNCHANGED: 1, WRITTEN: 2, DEFERRED: 3, CONFLICTS: 4, FAILED: 5}
"""Which outcome stands for a record with several; to have been skipped, for whatever reason, ranks below all."""

MOST = 200_000
"""Records that are remembered; a run that comes to more counts those behind them as often as it meets them."""


class RecordTally:
    """Remembers the outcome of each record that may come again, so that it counts once and as its gravest outcome.

    Of the objects in ``whole``, which are read from end to end, only those are remembered that :meth:`expect_again`
    names: no other comes a second time, and there may be millions.
    """

    def __init__(self) -> None:
        self.whole: frozenset[str] = frozenset()
        self._read: frozenset[str] = frozenset()
        self._again: set[Key] = set()
        self._outcomes: dict[Key, str] = {}

    def expect_again(self, key: Key) -> None:
        """Remember this record: an opt-out concerns it. Once its whole object is read it comes too late."""
        if key[0] in self.whole and key[0] not in self._read and len(self._again) < MOST:
            self._again.add(key)

    def remember(self, key: Key) -> None:
        """Remember this record whatever concerns it: it comes again."""
        if len(self._again) < MOST:
            self._again.add(key)

    def end_reading(self, objects: frozenset[str]) -> None:
        """Take in that this run has read all of these objects: a record that is not remembered has counted already."""
        self._read = objects & self.whole

    def forget(self, key: Key) -> None:
        """Let the record's next outcome count as its first, also where its object was read from end to end."""
        self._outcomes.pop(key, None)
        self._again.add(key)

    def meet_again(self, key: Key, outcome: str) -> str | None:
        """Take in an outcome that somebody else has counted; return the one to take back, None where both stand.

        The outcome is "" where there is none yet.
        """
        before = self._outcomes.get(key)
        if before is None and len(self._outcomes) >= MOST:
            return None

        self._again.add(key)
        if not outcome:
            return None
        graver = outcome if before is None or _RANKS.get(outcome, 0) > _RANKS.get(before, 0) else before
        self._outcomes[key] = graver
        if before is None:
            return None
        return before if graver == outcome else outcome

    def to_json(self) -> dict[str, dict[str, str]]:
        """Return the outcomes of the records that may come again, by object name and record id; "" for none yet."""
        found: dict[str, dict[str, str]] = {}
        for name, record_id in self._again.union(self._outcomes):
            found.setdefault(name, {})[record_id] = self._outcomes.get((name, record_id), "")
        return found

    def take(self, key: Key, outcome: str) -> str | None:
        """Take in an outcome; return the one that it replaces, "" where it is the first, None where it counts not."""
        if key[0] in self._read and key not in self._again and len(self._again) < MOST:
            return None
        before = self._outcomes.get(key, "")
        if before and _RANKS.get(outcome, 0) <= _RANKS.get(before, 0):
            return None
        if before or (len(self._outcomes) < MOST and (key[0] not in self.whole or key in self._again)):
            self._outcomes[key] = outcome
        return before
