"""The signs of numbers, as a run asks for them: one question a batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ..model.evidence_rules import EvidenceRules
from ..model.record_view import RecordView
from ..state.number_signs import NumberSigns, Signs
from ..state.store import Store


@dataclass(slots=True)
class NumberHistory:
    """What calls and messages have shown of numbers, in one ledger; what is older than ``max_age`` counts no more."""

    store: Store
    ledger: str
    rules: EvidenceRules
    max_age: timedelta
    _has_any: bool = field(default=False, init=False)

    def find(self, numbers: Collection[str]) -> Mapping[str, Signs]:
        """Return the signs of each E.164 number that has any."""
        if not numbers or not self._knows_any():
            return {}
        with self.store.transaction() as connection:
            return NumberSigns(self.store.keyring, self.ledger).find(connection, numbers)

    def find_of(self, views: Iterable[RecordView]) -> Mapping[str, Signs]:
        """Return the signs of the numbers that records hold."""
        if not self._knows_any():
            return {}
        return self.find({number for view in views for number in view.all_e164s() if number.startswith("+")})

    def _knows_any(self) -> bool:
        """Return whether there are signs at all. Where there are none, some may come while the run is at work."""
        if not self._has_any:
            with self.store.transaction() as connection:
                self._has_any = NumberSigns(self.store.keyring, self.ledger).has_any(connection)
        return self._has_any
