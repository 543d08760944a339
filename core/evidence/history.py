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
        if not numbers:
            return {}
        signs = NumberSigns(self.store.keyring, self.ledger)
        with self.store.transaction() as connection:
            self._has_any = self._has_any or signs.has_any(connection)
            return signs.find(connection, numbers) if self._has_any else {}

    def find_of(self, views: Iterable[RecordView]) -> Mapping[str, Signs]:
        """Return the signs of the numbers that records hold."""
        return self.find({number for view in views for number in view.all_e164s() if number.startswith("+")})
