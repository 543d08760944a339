"""A lookup provider's answer about a number, before it becomes facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AnswerKind(StrEnum):
    """How much a provider's answer tells."""

    KNOWN = "known"  # it tells something about the number
    INCONCLUSIVE = "inconclusive"  # the provider answered and can tell nothing more about this number
    FAILED = "failed"  # a passing fault: nothing is known, and the number is asked about again in another run
    LOST = "lost"  # the question surely went out and was perhaps billed, and no answer is on record


@dataclass(frozen=True, slots=True)
class Answer:
    """One provider's answer about one number, in the terms of :mod:`ringfence.core.model.verdicts`.

    ``valid`` is whether the number exists, ``line`` one of the line states, ``line_type`` one of the line types; each
    is None where the provider does not tell. ``code`` is the provider's own code, for a person. ``observed_at`` is
    aware, in UTC. ``paid`` tells whether the lookup is billed. A FAILED one is never counted as bought: there ``paid``
    tells that nobody rules a charge out, so that the request counts against the budget.
    """

    e164: str
    kind: AnswerKind
    observed_at: datetime
    valid: bool | None = None
    line: str | None = None
    line_type: str | None = None
    code: str = ""
    paid: bool = True
