"""One answer out of several: the verdict of the one that decides, and what the others tell besides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.decisions.merging import merge
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Carrier, Evidence, LineState, Ported, Reassigned, Reassignment, Risk
from ringfence.core.numbers import LineType, Validity

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
LIVE = Answer(
    "+14155550132", AnswerKind.KNOWN, START, validity=Validity.VALID, line="active", evidence=Evidence.LIVE_NETWORK
)
TYPED = replace(LIVE, line=None, line_type="mobile", carrier=Carrier("Acme"), evidence=Evidence.ROUTING_DB)

answers = st.builds(
    lambda line, line_type, ported, hours, evidence, since, score: replace(
        LIVE,
        line=line,
        line_type=line_type,
        ported=ported,
        observed_at=START + timedelta(hours=hours),
        evidence=evidence,
        reassigned=since,
        risk=score,
    ),
    st.sampled_from([None, *LineState]),
    st.sampled_from([None, *LineType]),
    st.sampled_from(Ported),
    st.integers(0, 80),
    st.sampled_from([None, *Evidence]),
    st.sampled_from([None, *(Reassignment(answer, date(2025, 1, 1)) for answer in Reassigned)]),
    st.sampled_from([None, Risk(10), Risk(90)]),
)


@given(st.lists(answers, min_size=1, max_size=4))
def test_the_order_of_the_answers_does_not_matter(them: list[Answer]) -> None:
    assert len({merge(other)[1] for other in permutations(them)}) == 1


@given(st.lists(answers, min_size=1, max_size=4))
def test_whatever_anybody_tells_is_told(them: list[Answer]) -> None:
    _, merged = merge(them)

    assert (merged.ported is Ported.UNKNOWN) == all(each.ported is Ported.UNKNOWN for each in them)
    assert (merged.risk is None) == all(each.risk is None for each in them)
    untold = (None, LineType.UNKNOWN)
    assert (merged.line_type in untold) == all(each.line_type in untold for each in them)


def test_the_state_of_the_line_is_that_of_whoever_tells_it_and_the_type_of_whoever_knows_that() -> None:
    place, merged = merge([TYPED, LIVE])

    assert place == 1
    assert (merged.line, merged.line_type, merged.carrier) == ("active", "mobile", Carrier("Acme"))
    assert (merged.evidence, merged.observed_at) == (LIVE.evidence, LIVE.observed_at)


def test_strong_evidence_that_tells_no_state_leaves_the_weaker_word_about_it() -> None:
    strong = replace(TYPED, evidence=Evidence.LIVE_NETWORK, observed_at=START + timedelta(days=3))
    weak = replace(LIVE, evidence=Evidence.VENDOR_ASSERTED)

    assert merge([strong, weak])[1].line == "active"


def test_of_two_that_tell_an_axis_the_stronger_counts_and_of_equals_the_newer() -> None:
    older = replace(TYPED, line_type="landline", observed_at=START - timedelta(days=1))
    stronger = replace(TYPED, line_type="voip", evidence=Evidence.CARRIER_FEED, observed_at=START - timedelta(days=9))

    assert merge([LIVE, TYPED, older])[1].line_type == "mobile"
    assert merge([LIVE, TYPED, stronger])[1].line_type == "voip"
