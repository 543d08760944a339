"""Watches in a sync for numbers of a country whose do-not-call list is expired: from then on it only silences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..state.countries_met import CountriesMet
from ..suppression.expired_lists import ExpiredLists
from .brake import Brake


class ListWatch:
    """Pulls the brake of a run where an expired list concerns it, and nobody has allowed that.

    It concerns the run where its country is a default region of the mapping, or was met among the numbers of the
    account, in this run or an earlier one.
    """

    def __init__(self, expired: ExpiredLists, met: CountriesMet, brake: Brake) -> None:
        self.expired = expired
        self._met = met
        self._brake = brake
        self._seen: set[str | None] = {None}

    def begin(self, shapes: Mapping[str, ObjectShape]) -> None:
        """Look at what is known before anything is read."""
        if not self.expired:
            return
        defaults = {shape.default_region for shape in shapes.values()}
        self._judge([*defaults, *self._met.read()])
        if self._met.is_unknown() and (error := self.expired.meet_any()):
            self._brake.pull(error)

    def look_at(self, views: Sequence[RecordView]) -> None:
        """Look at the numbers of records, which are worked out by now."""
        new = {number.region for view in views for number in view.known_numbers()} - self._seen
        if not new:
            return
        self._seen |= new
        self._met.add(region for region in new if region)
        self._judge(new)

    def names(self) -> list[str]:
        """Return the expired lists that concern the run, those of countries that other processes met included."""
        if self.expired:
            self.expired.meet(self._met.read())
        return self.expired.names

    def _judge(self, regions: Iterable[str | None]) -> None:
        if error := self.expired.meet(regions):
            self._brake.pull(error)
