"""From what is known to one status and one reason: the contract's table row by row, and what holds for all facts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.model import verdicts as verdicts_module
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.verdicts import (
    Facts,
    LineState,
    OptOut,
    Status,
    derive_status,
    judge,
    offline_facts,
    with_answer,
    with_opt_out,
)
from ringfence.core.numbers import LineType, ReasonCode, Validity, read_number

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
GOOD = read_number("+1 415 555 0132", None)
CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases" / "statuses.yaml").read_text(encoding="utf-8")
)
NOT_YET_REPORTED = {Status.WRONG_PERSON, Status.SUSPECT}  # nothing reports reassignments or call history yet

any_number = st.sampled_from(
    ["+1 415 555 0132", "12", "n/a", "07700 900123", "415 555 0132", "+1 415 555 xxxx", "14155550132.0", "+999 1234567"]
).flatmap(lambda raw: st.sampled_from([None, "US", "GB"]).map(lambda region: read_number(raw, region)))
any_answer = st.builds(
    Answer,
    e164=st.just("+14155550132"),
    kind=st.sampled_from(AnswerKind),
    observed_at=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants naive bounds
    validity=st.sampled_from(Validity),
    line=st.sampled_from([None, *(state.value for state in LineState)]),
    line_type=st.sampled_from([None, *(line_type.value for line_type in LineType)]),
    code=st.text(max_size=20),
)


def facts_of(case: dict[str, Any]) -> Facts:
    facts = offline_facts(read_number(case["content"], case.get("region")), NOW)
    if found := case.get("lookup"):
        validity = Validity(found.get("validity", "unknown"))
        answer = Answer("+14155550132", AnswerKind(found["kind"]), NOW, validity, line=found.get("line"))
        facts = with_answer(facts, answer, "twilio")
    if opt_out := case.get("opt_out"):
        facts = with_opt_out(facts, OptOut(opt_out), NOW)
    return facts


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_case(case: dict[str, Any]) -> None:
    verdict = judge(facts_of(case))

    assert (verdict.status, verdict.reason) == (case["status"], case["reason"])


def test_cases_cover_every_status_that_can_be_derived() -> None:
    assert {case["status"] for case in CASES} == {status.value for status in Status} - NOT_YET_REPORTED


def test_each_status_wins_over_those_below_it() -> None:
    order = list(Status)
    invalid = answer_of(validity=Validity.INVALID)
    layers = [
        offline_facts(read_number("415 555 0132", None), NOW),
        offline_facts(GOOD, NOW),
        *(with_answer(offline_facts(GOOD, NOW), answer_of(line=line), "twilio") for line in ("active", "unreachable")),
        with_answer(offline_facts(GOOD, NOW), answer_of(validity=Validity.INVALID, line="unreachable"), "twilio"),
        with_opt_out(with_answer(offline_facts(GOOD, NOW), invalid, "twilio"), OptOut.SHARED, NOW),
    ]
    ranks = [order.index(derive_status(facts)) for facts in layers]

    assert all(higher < lower for lower, higher in pairwise(ranks))


def answer_of(kind: AnswerKind = AnswerKind.KNOWN, **fields: Any) -> Answer:
    return Answer("+14155550132", kind, NOW - timedelta(days=3), **fields)


def test_the_evidence_keeps_its_own_time() -> None:
    assert judge(offline_facts(GOOD, NOW)).last_screened == NOW

    known = with_answer(offline_facts(GOOD, NOW), answer_of(line="active"), "twilio")

    assert judge(known).last_screened == NOW - timedelta(days=3)
    assert judge(with_opt_out(known, OptOut.OWN, NOW)).last_screened == NOW


@pytest.mark.parametrize("line_type", [None, "unknown"])
def test_a_line_type_that_the_provider_does_not_tell_leaves_the_numbering_plans(
    line_type: str | None,
) -> None:
    facts = with_answer(offline_facts(GOOD, NOW), answer_of(line="active", line_type=line_type), "twilio")
    assert judge(facts).line_type == GOOD.line_type == "fixed_or_mobile"


def test_a_provider_knows_the_line_type_better_than_the_numbering_plan() -> None:
    answer = answer_of(AnswerKind.INCONCLUSIVE, line_type="voip_nonfixed")

    assert judge(with_answer(offline_facts(GOOD, NOW), answer, "twilio")).line_type == "voip_nonfixed"


@given(number=any_number, answer=any_answer)
def test_unknown_is_not_invalid(number: Any, answer: Answer) -> None:
    before = offline_facts(number, NOW)
    after = with_answer(before, answer, "twilio")
    if answer.kind is AnswerKind.FAILED:
        assert after == before
    elif answer.kind is not AnswerKind.KNOWN:
        assert (after.validity, after.line, after.opt_out) == (before.validity, before.line, before.opt_out)
        assert derive_status(after) is derive_status(before)


@given(number=any_number, answer=any_answer)
def test_earlier_facts_outlive_a_lookup_that_knows_nothing(number: Any, answer: Answer) -> None:
    known = with_answer(offline_facts(number, NOW), answer_of(line="disconnected"), "twilio")
    if answer.kind is not AnswerKind.KNOWN:
        assert derive_status(with_answer(known, answer, "other")) is derive_status(known)


@given(number=any_number, answer=any_answer, opt_out=st.sampled_from([OptOut.OWN, OptOut.SHARED]))
def test_nothing_that_is_known_lifts_an_opt_out(number: Any, answer: Answer, opt_out: OptOut) -> None:
    facts = with_opt_out(offline_facts(number, NOW), opt_out, NOW)
    assert derive_status(with_answer(facts, answer, "twilio")) is Status.DO_NOT_CONTACT


@given(
    raw=st.text(max_size=120) | st.from_regex(r"[-+0-9 ()/,;x.]{1,120}", fullmatch=True),
    answer=any_answer,
    opt_out=st.sampled_from(OptOut),
)
def test_reasons_fit_their_field_start_with_a_code_and_hold_no_number(
    raw: str, answer: Answer, opt_out: OptOut
) -> None:
    number = read_number(raw, "US")
    facts = with_answer(offline_facts(number, NOW), answer, "a-provider-with-a-name-of-its-own")
    if opt_out is not OptOut.NONE:
        facts = with_opt_out(facts, opt_out, NOW)
    verdict = judge(facts)

    assert len(verdict.reason) <= 255
    assert verdict.reason.partition(": ")[0] in set(ReasonCode)
    assert not re.search(r"\d{5}", re.sub(r"[^\w]", "", verdict.reason))


@given(number=any_number, answer=any_answer)
def test_equal_facts_give_equal_verdicts_with_a_status_and_line_type_of_the_lists(number: Any, answer: Answer) -> None:
    verdicts = {judge(with_answer(offline_facts(number, NOW), answer, "twilio")) for _ in range(2)}

    assert len(verdicts) == 1

    verdict = verdicts.pop()

    assert verdict.line_type in set(LineType)
    assert verdict.e164 == number.e164
    assert (verdict.status is Status.VALID) <= (number.validity is Validity.VALID)


some_facts = st.builds(
    Facts,
    number=st.one_of(any_number, st.just(read_number("+1 415 555 0132 or +1 415 555 0133", None))),
    validity=st.sampled_from(Validity),
    line=st.sampled_from(LineState),
    line_type=st.sampled_from(LineType),
    opt_out=st.sampled_from(OptOut),
    code=st.sampled_from(ReasonCode),
    source=st.sampled_from(["offline", "twilio"]),
    observed_at=st.sampled_from([NOW, NOW - timedelta(days=1)]),
    opted_out_via=st.sampled_from(["", "+1415***2671 in mobile"]),
)


@given(some_facts, some_facts)
def test_numbers_that_differ_in_anything_do_not_share_a_cached_reason(one: Facts, other: Facts) -> None:
    variants = [one, *(one._replace(**{name: getattr(other, name)}) for name in Facts._fields)]
    for name in ("reason", "repairs", "others"):
        variants.append(one._replace(number=one.number._replace(**{name: getattr(other.number, name)})))

    alone = []
    for each in variants:
        verdicts_module._status_and_reason.cache_clear()
        alone.append(judge(each))

    assert [judge(each) for each in variants * 2] == alone * 2
