"""How lately anybody was reached at a number: active, quiet or lapsed. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ..model.evidence_rules import EvidenceRules
from ..model.signs import NumberSign, Sign


class Segment(StrEnum):
    """How lately somebody was reached, by the figures of the rules."""

    ACTIVE = "active"
    QUIET = "quiet"
    LAPSED = "lapsed"  # for long, or never, however often it was tried

    __hash__ = str.__hash__


class Engagement(NamedTuple):
    """The segment of a number, and when somebody was last reached at it (aware UTC); None: never."""

    segment: Segment
    last_heard: datetime | None


def find_engagement(signs: Iterable[NumberSign], rules: EvidenceRules, now: datetime) -> Engagement | None:
    """Return the segment of a number by its signs, in whatever order; None where it was never called or written to.

    ``now`` is aware. What shows nothing of the line, and a busy line or an answering machine, reaches nobody.
    """
    known = [sign for sign in signs if rules.show(sign) is not Sign.NEUTRAL]
    if not known:
        return None
    last = max((sign.occurred_at for sign in known if rules.show(sign) is Sign.ALIVE), default=None)
    if last is None or last < now - rules.lapsed_after:
        return Engagement(Segment.LAPSED, last)
    return Engagement(Segment.QUIET if last < now - rules.quiet_after else Segment.ACTIVE, last)
