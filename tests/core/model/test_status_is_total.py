"""Every combination of what answers can say amounts to one status, and the order of the contract holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence, LineState, Reassigned, Reassignment
from ringfence.core.model.reasons import parse_reason
from ringfence.core.model.verdicts import (
    CALLABLE,
    OptOut,
    Status,
    derive_status,
    judge,
    offline_facts,
    with_answer,
    with_opt_out,
)
from ringfence.core.numbers import Validity, read_number

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
NUMBER = read_number("+14155550132", None)
SINCE = date(2025, 1, 1)
OWNERS = [None, *(Reassignment(answer, SINCE) for answer in Reassigned)]
EVERY = list(product(AnswerKind, Validity, [None, *LineState], [None, *Evidence], OWNERS))


def answer(
    kind: AnswerKind,
    validity: Validity,
    line: LineState | None,
    evidence: Evidence | None,
    reassigned: Reassignment | None,
) -> Answer:
    """Return an answer that says all this."""
    return Answer(NUMBER.e164 or "", kind, NOW, validity, line, evidence=evidence, reassigned=reassigned)


def test_every_answer_amounts_to_a_status_and_a_reason_that_can_be_read_back() -> None:
    offline = offline_facts(NUMBER, NOW)
    for said in EVERY:
        facts = with_answer(offline, answer(*said), "twilio")
        verdict = judge(facts)

        assert verdict.status is derive_status(facts), said
        assert parse_reason(verdict.reason) is not None, said
        if said[0] is not AnswerKind.KNOWN:
            assert verdict.status is Status.VALID, said
        elif said[4] and said[4].answer is Reassigned.YES:
            assert verdict.status is Status.WRONG_PERSON, said


def test_permission_comes_first_whatever_the_line_says() -> None:
    offline = offline_facts(NUMBER, NOW)
    for said in EVERY:
        facts = with_opt_out(with_answer(offline, answer(*said), "twilio"), OptOut.OWN, NOW)

        assert derive_status(facts) is Status.DO_NOT_CONTACT, said


def test_stronger_evidence_of_life_never_makes_a_number_uncallable() -> None:
    offline = offline_facts(NUMBER, NOW)
    for line, evidence in product((LineState.ACTIVE, LineState.LIKELY_ACTIVE), Evidence):
        facts = with_answer(offline, answer(AnswerKind.KNOWN, Validity.VALID, line, evidence, None), "twilio")

        assert derive_status(facts) in CALLABLE
        if line is LineState.ACTIVE or evidence.strength >= Evidence.STATISTICAL.strength:
            assert derive_status(facts) is Status.ACTIVE
