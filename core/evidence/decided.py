"""What a person has decided about a line, as evidence: kept like the end of a call, and weighed above every lookup."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Connection

from ..model.review_items import Resolution, ReviewItem
from ..model.signals import Outcome, Signal
from ..model.signs import NumberSign, SourceKind
from ..state.evidence import EvidenceStore
from ..state.number_signs import NumberSigns
from .intake import EvidenceIntake

DECIDED = "review"
"""The code of evidence that came out of the review queue."""

OUTCOMES: Mapping[Resolution, Outcome] = MappingProxyType(
    {Resolution.LIVE: Outcome.CONNECTED, Resolution.DEAD: Outcome.OUT_OF_SERVICE}
)
"""What a decision about the state of a line shows of it, as if it were the end of a call."""


def keep_decision(
    connection: Connection, intake: EvidenceIntake, item: ReviewItem, resolution: Resolution, author: str, note: str
) -> bool:
    """Keep that somebody has found the line of an item alive or dead; return whether it was kept.

    It happens in the caller's transaction, in which nobody else adds signs of the number. The next sync looks at the
    records that hold it, also where calls have said the same already: it has to say by whom. Of a number that was
    erased nothing is kept, nor of a decision that says nothing of the line.
    """
    outcome = OUTCOMES.get(resolution)
    if outcome is None or not item.number:
        return False
    told = Signal(author, f"review:{item.id}", item.number, intake.now, outcome, code=DECIDED, detail=note)
    if not EvidenceStore(intake.keyring, intake.ledger).add(connection, item.number, told, intake.now):
        return False

    sign = NumberSign(intake.now, SourceKind.PERSON, author, outcome)
    intake.take_in(connection, {item.number: [sign]})
    NumberSigns(intake.keyring, intake.ledger).stir(connection, [item.number])
    return True
