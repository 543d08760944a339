"""Making sure before a flag is raised: who asks for silence, and how many records hold the number, is read again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ..model.opt_outs import OptOuts
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..state.opt_out_ledger import OptOutLedger
from .intake import look_up_opt_outs
from .record_reader import Key, RecordReader


class OptOutConfirmation:
    """Confirms, each number once a run, what the ledger says about the numbers of records that may be flagged.

    ``can_flag`` tells whether a record's flag may be raised. With ``counts_stand`` the ledger's counts of holders are
    taken as they are: all records were read in this run, or the counts decide nothing.
    """

    def __init__(
        self,
        reader: RecordReader,
        shapes: Mapping[str, ObjectShape],
        ledger: OptOutLedger,
        can_flag: Callable[[RecordView], bool],
        *,
        counts_stand: bool,
    ) -> None:
        self._reader = reader
        self._shapes = shapes
        self._ledger = ledger
        self._can_flag = can_flag
        self._counts_stand = counts_stand
        self._confirmed: set[str] = set()
        self._counted: set[tuple[str, int]] = set()

    def read(self, keys: Iterable[Key]) -> list[RecordView]:
        """Return the records that are there, and record in the ledger which of them are gone."""
        wanted = sorted(set(keys))
        views = self._reader.read(wanted)
        self._ledger.forget_holders(set(wanted).difference(view.key for view in views))
        return views

    def find_opt_outs(self, views: Sequence[RecordView], raised: Collection[Key]) -> OptOuts:
        """Return what the ledger knows of opt-outs about the records.

        Before a flag is raised for a number, a record that asks for silence on it is read again: an index may lag, and
        people may have lowered its flag since the run read it (which ends nothing where the mapping says ``ratchet``).
        What covers the number from elsewhere can be read again by no call to this CRM, and stands. The flags that this
        run has ``raised`` are up, also where a dry run has raised them in its rehearsal only.
        """
        to_raise = {e164 for view in views if self._can_flag(view) for e164 in view.all_e164s()}
        while True:
            opt_outs = look_up_opt_outs(self._ledger, views)
            unsure = (opt_outs.covered & to_raise) - self._confirmed
            if not unsure:
                return opt_outs

            flagged_by = self._ledger.bearers(unsure)
            doubtful = {key for key in flagged_by.values() if key and key not in raised and key[0] in self._shapes}
            lowered = {view.key for view in self.read(doubtful) if not (view.flagged or view.shape.ratchet)}
            self._confirmed.update(e164 for e164, key in flagged_by.items() if key not in lowered)

    def count_holders(self, views: Sequence[RecordView], covered: frozenset[str]) -> dict[str, int]:
        """Return how many records hold each covered number; the deleted ones among them make no switchboard."""
        while True:
            counts = self._ledger.count_holders(covered)
            unsure = self._find_over_limit(views, covered, counts) - self._counted
            if self._counts_stand or not unsure:
                return counts

            # So many that are there prove it, however many more there are.
            holders = {each: self._ledger.holders(each[0], each[1] + 1) for each in unsure}
            mapped = {key for keys in holders.values() for key in keys if key[0] in self._shapes}
            gone = mapped.difference(view.key for view in self.read(mapped))
            self._counted.update(each for each, keys in holders.items() if gone.isdisjoint(keys))

    @staticmethod
    def _find_over_limit(
        views: Sequence[RecordView], covered: frozenset[str], counts: Mapping[str, int]
    ) -> set[tuple[str, int]]:
        """Return the covered numbers that more records hold than an object's limit, each with that limit."""
        over: set[tuple[str, int]] = set()
        for view in views:
            limit = view.shape.spread_limit
            over.update((e164, limit) for e164 in covered.intersection(view.all_e164s()) if counts[e164] > limit)
        return over
