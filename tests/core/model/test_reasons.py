"""The reason text: worded once, and read back as what it was, also when it was cut or is not ours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.model.blocks import Block, BlockKind, BlockSource, Channel
from ringfence.core.model.reasons import (
    MAX_LENGTH,
    PROVIDER_CODES,
    SENTENCES,
    Reason,
    describe_block,
    describe_lost_answer,
    format_reason,
    parse_reason,
)
from ringfence.core.model.verdicts import judge, offline_facts
from ringfence.core.numbers import ReasonCode, read_number, repairs

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

providers = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,29}", fullmatch=True)
sources = providers | providers.map(describe_lost_answer)
related_numbers = st.sampled_from(["", "+1415***2671 in MobilePhone", "+49***18 in Telefon__c", "*** in fax (old)"])
origins = ["hubspot:4711", "salesforce:00D", "us-dnc", "Liste (mit Namen)", "STOP", "", "x" * 90, "a\x1b[0m\nb"]
exit_prefixes = st.sampled_from(["00", "011", "0011", "810"])
phrases = (
    st.sampled_from(repairs.FIXED)
    | exit_prefixes.map(repairs.exit_prefix)
    | exit_prefixes.map(repairs.doubled_exit_prefix)
)


@st.composite
def reasons(draw: st.DrawFn, max_repairs: int = 3) -> Reason:
    code = draw(st.sampled_from(list(SENTENCES)))
    shared = code is ReasonCode.OPTED_OUT and draw(st.booleans())
    block = draw(st.none() | st.sampled_from(BlockSource)) if shared else None
    named = draw(sources) if code in PROVIDER_CODES else ""
    if block is not None:
        named = describe_block(
            Block(draw(st.sampled_from(BlockKind)), Channel.ALL, block, draw(st.sampled_from(origins)))
        )
    return Reason(
        code,
        source=named,
        block=block,
        shared=shared,
        opted_out_via=draw(related_numbers) if shared else "",
        repairs=tuple(draw(st.lists(phrases, max_size=max_repairs, unique=True))),
        others=draw(st.integers(0, 40)),
    )


@given(reasons())
def test_a_text_is_read_back_as_the_reason_that_it_was_made_of(reason: Reason) -> None:
    text = format_reason(reason)

    if len(text) < MAX_LENGTH:
        assert parse_reason(text) == reason


@given(reasons(max_repairs=17))
def test_a_text_fits_its_field_and_keeps_code_and_source_when_it_is_cut(reason: Reason) -> None:
    text = format_reason(reason)
    parsed = parse_reason(text)

    assert len(text) <= MAX_LENGTH
    assert parsed is not None
    assert parsed._replace(repairs=reason.repairs, others=reason.others) == reason
    assert parsed.repairs == reason.repairs[: len(parsed.repairs)]
    assert parsed.others in (0, reason.others)


@given(reasons(max_repairs=17))
def test_a_text_cut_anywhere_behind_its_sentence_tells_nothing_that_was_not_in_it(reason: Reason) -> None:
    bare = reason._replace(repairs=(), others=0)
    text = format_reason(reason)

    for end in range(len(format_reason(bare)), len(text) + 1):
        parsed = parse_reason(text[:end])

        assert parsed is not None
        assert parsed._replace(repairs=(), others=0) == bare
        assert parsed.repairs == reason.repairs[: len(parsed.repairs)]
        assert parsed.others in (0, reason.others)


@pytest.mark.parametrize("code", sorted(PROVIDER_CODES))
@pytest.mark.parametrize("source", ["twilio", describe_lost_answer("twilio")])
def test_the_provider_is_the_first_word_of_who_answered(code: ReasonCode, source: str) -> None:
    parsed = parse_reason(format_reason(Reason(code, source)))

    assert parsed is not None
    assert (parsed.source, parsed.provider) == (source, "twilio")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("live: twilio has seen the line answer", Reason(ReasonCode.LIVE, "twilio")),
        ("live: ", Reason(ReasonCode.LIVE)),
        ("provider_invalid", Reason(ReasonCode.PROVIDER_INVALID)),
        ("opted_out: asked for silence by letter", Reason(ReasonCode.OPTED_OUT)),
        (" masked: digits are masked ", Reason(ReasonCode.MASKED)),
        ("history: no answer in ninety days", Reason(ReasonCode.HISTORY)),
    ],
)
def test_other_words_behind_a_known_code_leave_the_code_and_who_answered(text: str, reason: Reason) -> None:
    assert parse_reason(text) == reason


@pytest.mark.parametrize("text", ["", "called him, number is dead", "live in Berlin: call after six", "Live: twilio"])
def test_a_text_of_other_people_is_no_reason(text: str) -> None:
    assert parse_reason(text) is None


@given(st.text(max_size=300))
def test_any_text_is_either_no_reason_or_begins_with_its_code(text: str) -> None:
    parsed = parse_reason(text)

    assert parsed is None or text.strip().startswith(parsed.code)


def test_the_codes_without_a_sentence_are_those_that_nothing_reports_yet() -> None:
    unworded = set(ReasonCode) - SENTENCES.keys()

    assert unworded == set()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("(202) 555-0143", "allocated: well formed but not confirmed to be live"),
        ("2025550143.0", "allocated: well formed but not confirmed to be live (dropped a spreadsheet .0)"),
        (
            "202-555-0143 / 202-555-0144",
            "allocated: well formed but not confirmed to be live (1 other number in the field)",
        ),
        (
            "0044 20 7946 0018 or 202-555-0144 or 202-555-0145",
            "allocated: well formed but not confirmed to be live (read 00 as +; 2 other numbers in the field)",
        ),
        ("202555xxxx", "masked: digits are masked"),
    ],
)
def test_the_text_names_repairs_and_other_numbers(raw: str, text: str) -> None:
    assert judge(offline_facts(read_number(raw, "US"), NOW)).reason == text


def test_a_text_with_every_repair_still_fits_its_field() -> None:
    text = format_reason(Reason(ReasonCode.ALLOCATED, repairs=("some repair",) * 40))

    assert len(text) == MAX_LENGTH
    assert text.endswith("...")
