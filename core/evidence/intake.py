"""Taking signs in: they are kept with their number, and the records that hold it are looked at by the next sync.

Records are told only where the signs come to something else than before, for most calls say what the last one said. A
person is asked about a number that becomes suspected, and what people were asked is closed where the signs answer it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from ..clock import whole_seconds
from ..decisions.fusion import fuse
from ..model.axes import LineState
from ..model.evidence_rules import EvidenceRules
from ..model.signs import NumberSign
from ..state.keyring import Keyring
from ..state.number_signs import NumberSigns, Signs
from .questions import SignWatch


@dataclass(frozen=True, slots=True)
class EvidenceIntake:
    """Takes signs in for one ledger, at the moment ``now`` (aware UTC). ``rules`` weigh them."""

    keyring: Keyring
    ledger: str
    rules: EvidenceRules
    now: datetime

    def take_in(self, connection: Connection, told: Mapping[str, Iterable[NumberSign]]) -> frozenset[str]:
        """Keep signs, by E.164 number, in the caller's transaction; return the numbers that they say news about.

        A sign whose moment is yet to come is taken for one of now: the clocks of others run ahead.
        """
        known = {number: [self._not_ahead(sign) for sign in signs] for number, signs in told.items()}
        changed = NumberSigns(self.keyring, self.ledger).add(connection, known)
        news = frozenset(
            number for number, (before, after) in changed.items() if self._grade(before) != self._grade(after)
        )
        NumberSigns(self.keyring, self.ledger).stir(connection, news)

        watch = SignWatch(self.keyring, self.ledger, self.rules, self.now)
        watch.close_answered(
            connection, {number: set(after) - set(before) for number, (before, after) in changed.items()}
        )
        watch.ask_about_suspects(connection, {number: changed[number][1] for number in news})
        return news

    def _not_ahead(self, sign: NumberSign) -> NumberSign:
        # In whole seconds, like the moments of answers: which of two came later must be plain.
        return sign._replace(occurred_at=whole_seconds(min(sign.occurred_at, self.now)))

    def _grade(self, signs: Signs) -> tuple[frozenset[tuple[LineState, date]], bool]:
        """Return what records must say of a number by its signs alone: a later call of one day changes nothing."""
        if not signs:
            return frozenset(), False
        history = fuse(signs, self.rules)
        lines = frozenset((each.line, each.observed_at.date()) for each in history.lines)
        return lines, history.suspicion is not None
