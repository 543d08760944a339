"""How lately anybody was reached at a number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.decisions.segments import Segment, find_engagement
from ringfence.core.model.evidence_rules import EvidenceRules
from ringfence.core.model.signals import Outcome
from ringfence.core.model.signs import NumberSign, SourceKind

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("heard", "segment", "last"),
    [
        ([], None, None),
        ([(Outcome.BLOCKED, 10)], None, None),
        ([(Outcome.CONNECTED, 180)], Segment.ACTIVE, 180),
        ([(Outcome.CONNECTED, 181)], Segment.QUIET, 181),
        ([(Outcome.DELIVERED, 540), (Outcome.CONNECTED, 700)], Segment.QUIET, 540),
        ([(Outcome.CONNECTED, 541)], Segment.LAPSED, 541),
        ([(Outcome.CONNECTED, 541), (Outcome.VOICEMAIL, 3), (Outcome.NO_ANSWER, 1)], Segment.LAPSED, 541),
        ([(Outcome.NO_ANSWER, 3)], Segment.LAPSED, None),
    ],
)
def test_the_segment_is_by_when_somebody_was_last_reached(
    heard: list[tuple[Outcome, float]], segment: Segment | None, last: float | None
) -> None:
    signs = [NumberSign(NOW - timedelta(days=days), SourceKind.CALL, "dialler", outcome) for outcome, days in heard]

    found = find_engagement(signs, EvidenceRules(), NOW)

    if segment is None:
        assert found is None
    else:
        assert found == (segment, None if last is None else NOW - timedelta(days=last))
