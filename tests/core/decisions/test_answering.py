"""What answers a question about a line that somebody was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.decisions.answering import answers_by_lookup, answers_by_sign
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.evidence_rules import EvidenceRules
from ringfence.core.model.review_items import ReviewReason
from ringfence.core.model.signals import Outcome
from ringfence.core.model.signs import NumberSign, SourceKind
from ringfence.core.numbers import Validity

SINCE = datetime(2026, 11, 2, 9, tzinfo=UTC)
SUSPECT, CONFLICT, SILENT = ReviewReason.SUSPECT, ReviewReason.CONFLICT, ReviewReason.SILENT
PERSON = SourceKind.PERSON


@pytest.mark.parametrize(
    ("outcome", "hours", "kind", "answered"),
    [
        (Outcome.CONNECTED, 1, SourceKind.CALL, {SUSPECT, CONFLICT, SILENT}),
        (Outcome.VOICEMAIL, 1, SourceKind.CALL, {SUSPECT, SILENT}),
        (Outcome.NO_ANSWER, 1, SourceKind.CALL, {SILENT}),
        (Outcome.OUT_OF_SERVICE, 1, SourceKind.MESSAGE, {SILENT}),
        (Outcome.CONNECTED, 0, SourceKind.CALL, set()),
        (Outcome.CONNECTED, -1, SourceKind.CALL, set()),
        (Outcome.OUT_OF_SERVICE, 0, PERSON, {SUSPECT, CONFLICT, SILENT}),
        (Outcome.CONNECTED, -1, PERSON, set()),
    ],
)
def test_a_sign_answers_what_was_asked_before_it(
    outcome: Outcome, hours: float, kind: SourceKind, answered: set[ReviewReason]
) -> None:
    sign = NumberSign(SINCE + timedelta(hours=hours), kind, "dialler", outcome)
    shown = EvidenceRules().show(sign)

    assert {each for each in ReviewReason if answers_by_sign(each, SINCE, sign, shown)} - OTHERS == answered


OTHERS = {ReviewReason.NEAR_OPT_OUT, ReviewReason.FLAG_CLEARED, ReviewReason.AMBIGUOUS}


@pytest.mark.parametrize(
    ("line", "hours", "evidence", "answered"),
    [
        ("active", 1, Evidence.LIVE_NETWORK, {SUSPECT, SILENT}),
        ("disconnected", 1, Evidence.LIVE_NETWORK, {SUSPECT, SILENT}),
        ("active", 24, Evidence.LIVE_NETWORK, {SUSPECT, SILENT}),
        ("active", 25, Evidence.LIVE_NETWORK, {SUSPECT, CONFLICT, SILENT}),
        ("disconnected", 25, Evidence.LIVE_NETWORK, {SUSPECT, CONFLICT, SILENT}),
        ("unreachable", 25, Evidence.LIVE_NETWORK, {SILENT}),
        ("active", 25, Evidence.NUMBERING_PLAN, set()),
        (None, 25, Evidence.LIVE_NETWORK, set()),
        ("active", 0, Evidence.LIVE_NETWORK, set()),
    ],
)
def test_a_lookup_answers_what_was_asked_before_it(
    line: str | None, hours: float, evidence: Evidence, answered: set[ReviewReason]
) -> None:
    moment = SINCE + timedelta(hours=hours)
    answer = Answer("+1", AnswerKind.KNOWN, moment, validity=Validity.VALID, line=line, evidence=evidence)

    assert {each for each in ReviewReason if answers_by_lookup(each, SINCE, answer)} == answered
