"""What a lookup provider says about a number, before it becomes facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AnswerKind(StrEnum):
    """What a provider's answer is worth."""

    KNOWN = "known"  # it says something about the number
    INCONCLUSIVE = "inconclusive"  # it was asked and can say nothing more about this number
    FAILED = "failed"  # a passing fault: the answer may come another time; with ``paid`` it was cut off after asking
    LOST = "lost"  # asked, perhaps billed, and no answer is on record


@dataclass(frozen=True, slots=True)
class Answer:
    """One provider's answer about one number, in the terms of :mod:`ringfence.core.model.verdicts`.

    ``valid`` is None when the provider does not judge it; ``line`` is one of the line states; ``line_type`` one of the
    line types, or None when not told; ``code`` the provider's own code, for the reader. ``paid`` tells whether the
    provider was asked at a price.
    """

    e164: str
    kind: AnswerKind
    observed_at: datetime
    valid: bool | None = None
    line: str | None = None
    line_type: str | None = None
    code: str = ""
    paid: bool = True
