"""What a slot keeps of an earlier lookup: read back as it was written, and kept when a new lookup is inconclusive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.decisions.plan import plan_change
from ringfence.core.decisions.previous_verdict import judge_again, read_earlier_answer
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.record_view import RecordView
from ringfence.core.model.shapes import ObjectShape, Slot
from ringfence.core.model.values import Companion, Record, Value
from ringfence.core.model.verdicts import STATUS_OF_LINE, Facts, Status, judge, offline_facts, with_answer
from ringfence.core.numbers import Validity, read_number

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(days=40)
E164 = "+14155550132"
SLOT = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
SHAPE = ObjectShape("people", (SLOT,))

conclusive = st.builds(
    Answer,
    e164=st.just(E164),
    kind=st.just(AnswerKind.KNOWN),
    observed_at=st.just(EARLIER),
    validity=st.just(Validity.INVALID),
) | st.builds(
    Answer,
    e164=st.just(E164),
    kind=st.just(AnswerKind.KNOWN),
    observed_at=st.just(EARLIER),
    validity=st.just(Validity.VALID),
    line=st.sampled_from([state.value for state in STATUS_OF_LINE]),
)


def facts_of(answer: Answer | None = None, source: str = "twilio") -> Facts:
    """Return what is known about the number with this answer, or offline alone."""
    offline = offline_facts(read_number(E164, None), NOW)
    return with_answer(offline, answer, source) if answer else offline


def view_after(facts: Facts, **changed: Value) -> RecordView:
    """Return the record as a run with these facts left it, but for the fields that were changed since."""
    empty = RecordView(Record("people", "p1", {"phone": E164}), SHAPE)
    change = plan_change(empty, {"phone": judge(facts)})
    assert change is not None
    return RecordView(Record("people", "p1", {"phone": E164, **change.new_values(), **changed}), SHAPE)


def inconclusive(**fields: str) -> Facts:
    return facts_of(Answer(E164, AnswerKind.INCONCLUSIVE, NOW, **fields), "other")


@given(answer=conclusive, source=st.sampled_from(["twilio", "my-provider", "twilio (answer lost)"]))
def test_a_conclusive_answer_is_read_back_from_its_slot(answer: Answer, source: str) -> None:
    earlier = read_earlier_answer(view_after(facts_of(answer, source)), SLOT)

    assert earlier is not None
    assert earlier.kind is AnswerKind.KNOWN
    assert (earlier.validity, earlier.line) == (answer.validity, answer.line)
    assert earlier.provider == source.partition(" ")[0]


def test_an_inconclusive_answer_is_read_back_as_one() -> None:
    earlier = read_earlier_answer(view_after(inconclusive()), SLOT)

    assert earlier == (AnswerKind.INCONCLUSIVE, Validity.VALID, None, "other", None)


def test_an_offline_verdict_rests_on_no_answer() -> None:
    assert read_earlier_answer(view_after(facts_of()), SLOT) is None


@given(answer=conclusive)
def test_an_inconclusive_lookup_keeps_the_previous_verdict_with_its_time(answer: Answer) -> None:
    before = facts_of(answer)

    assert judge_again(view_after(before), SLOT, inconclusive()) == judge(before)


@given(answer=conclusive)
def test_a_conclusive_lookup_replaces_the_previous_verdict(answer: Answer) -> None:
    new = facts_of(Answer(E164, AnswerKind.KNOWN, NOW, line="active"))

    assert judge_again(view_after(facts_of(answer)), SLOT, new) == judge(new)


@pytest.mark.parametrize(
    "changed",
    [
        {"phone": "+1 415 555 0143"},
        {"rf_phone_e164": "+14155550143"},
        {"rf_phone_last_screened": None},
        {"rf_phone_status": "valid"},
    ],
)
def test_a_verdict_that_is_not_about_this_number_or_not_whole_is_not_kept(changed: dict[str, Value]) -> None:
    before = facts_of(Answer(E164, AnswerKind.KNOWN, EARLIER, line="disconnected"))
    new = inconclusive()

    assert judge_again(view_after(before, **changed), SLOT, new) == judge(new)


@pytest.mark.parametrize(("new_type", "kept"), [(None, "voip"), ("unknown", "voip"), ("mobile", "mobile")])
def test_a_line_type_of_an_earlier_lookup_is_kept_where_the_new_lookup_tells_none(
    new_type: str | None, kept: str
) -> None:
    fields = {} if new_type is None else {"line_type": new_type}

    verdict = judge_again(view_after(inconclusive(line_type="voip")), SLOT, inconclusive(**fields))

    assert (verdict.status, verdict.line_type) == (Status.VALID, kept)
