"""A lookup provider's answer about a number, before it becomes facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..numbers import Validity
from .axes import Carrier, Evidence, Outcome, Ported, Reassignment, Risk


class AnswerKind(StrEnum):
    """How much a provider's answer tells."""

    KNOWN = "known"  # it tells something about the number
    INCONCLUSIVE = "inconclusive"  # the provider answered and can tell nothing more about this number
    PENDING = "pending"  # the provider has taken the order, and the answer is still to come
    FAILED = "failed"  # a passing fault: nothing is known, and the number is asked about again in another run
    LOST = "lost"  # the question surely went out and was perhaps billed, and no answer is on record


OWN_CURRENCY = "of the settings"
"""The currency of an amount that was reckoned by a price of the settings: whichever they name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One provider's answer about one number, its facts on the separate axes of :mod:`ringfence.core.model.axes`.

    ``line`` is one of the line states, ``line_type`` one of the line types; each is None where the provider does not
    tell. ``evidence`` says how it knows; None where that is not on record. ``code`` is the provider's own code, for a
    person, and ``unrecognised`` are values that the provider's tables do not have: (axis, raw value). ``observed_at``
    is aware, in UTC. ``paid`` tells whether the lookup is billed, and ``cost`` what the provider says that it took;
    None where it does not tell. ``currency`` is that of the cost: an ISO 4217 code, :data:`OWN_CURRENCY` where it was
    reckoned by the set price, and empty where nobody names it. A FAILED one is never counted as bought: there ``paid``
    tells that nobody rules a charge out, so that the request counts against the budget.
    """

    e164: str
    kind: AnswerKind
    observed_at: datetime
    validity: Validity = Validity.UNKNOWN
    line: str | None = None
    line_type: str | None = None
    code: str = ""
    paid: bool = True
    outcome: Outcome = Outcome.OK
    evidence: Evidence | None = None
    carrier: Carrier | None = None
    ported: Ported = Ported.UNKNOWN
    reassigned: Reassignment | None = None
    risk: Risk | None = None
    product: str = ""
    cost: float | None = None
    currency: str = ""
    unrecognised: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """Numbers that a provider has taken to answer later, under its own ``reference``.

    Whoever holds the reference can ask for the answers, also after the process that ordered them was killed.
    """

    reference: str
    numbers: tuple[str, ...]
