"""Which slots are due and why: cases for reading, and what holds for every record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.decisions.due import EVERY_SLOT, DueReason, Heard, find_due
from ringfence.core.model.evidence_rules import EvidenceRules
from ringfence.core.model.opt_outs import NONE_KNOWN, OptOuts
from ringfence.core.model.policy import Policy
from ringfence.core.model.record_view import RecordView, screened_value
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.signals import Outcome
from ringfence.core.model.signs import NumberSign, SourceKind
from ringfence.core.model.values import Companion, Record, Value
from ringfence.core.model.verdicts import Status
from ringfence.core.numbers import read_number

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
POLICY = Policy()
E164 = "+14155550132"
KEY = ("people", "p1")
PHONE = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
MOBILE = Slot("mobile", {companion: f"rf_mobile_{companion.value}" for companion in Companion})
SHAPE = ObjectShape("people", (PHONE, MOBILE), opt_outs=(OptOutFlag("optout", (True,)),), default_region="US")
CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases" / "due.yaml").read_text(encoding="utf-8")
)
FRESH: dict[str, Any] = {
    "phone": "+1 415 555 0132",
    "screened": "+1 415 555 0132",
    "last_screened": datetime(2026, 10, 20, 9, tzinfo=UTC),
    "status": "valid",
    "reason": None,
    "e164": E164,
}
ages = st.timedeltas(timedelta(0), timedelta(days=60))
contents = st.text(max_size=100).filter(str.strip)


def view_of(case: dict[str, Any]) -> RecordView:
    fields = FRESH | case
    values: dict[str, Value] = {
        "phone": fields["phone"],
        PHONE.companions[Companion.SCREENED_VALUE]: fields["screened"],
        PHONE.companions[Companion.LAST_SCREENED]: fields["last_screened"],
        PHONE.companions[Companion.STATUS]: fields["status"],
        PHONE.companions[Companion.REASON]: fields["reason"],
        PHONE.companions[Companion.E164]: fields["e164"],
        "optout": fields.get("flag", False),
    }
    return RecordView(Record(*KEY, values, in_scope=fields.get("in_filter", True)), SHAPE)


def reason_of(
    view: RecordView,
    opted_out: list[str] | None = None,
    *,
    rescreen: bool = False,
    heard: list[list[Any]] | None = None,
    **ledger: Any,
) -> DueReason | None:
    opt_outs = OptOuts(covered=frozenset(opted_out or ()), **ledger)
    signs = [
        NumberSign(NOW - timedelta(days=days), SourceKind.CALL, "dialler", Outcome(outcome))
        for days, outcome in heard or ()
    ]
    due = find_due(
        view,
        POLICY,
        NOW,
        opt_outs,
        rescreen_before=EVERY_SLOT if rescreen else None,
        heard=Heard({E164: signs}, EvidenceRules()),
    )
    assert set(due) <= {"phone"}
    return due.get("phone")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_case(case: dict[str, Any]) -> None:
    ledger: dict[str, Any] = {"lifted": frozenset(case.get("lifted", ()))}
    ledger |= {name: frozenset({KEY}) for name in ("released", "derived") if case.get(name)}

    assert (
        reason_of(
            view_of(case),
            case.get("opted_out"),
            rescreen=case.get("rescreen", False),
            heard=case.get("heard"),
            **ledger,
        )
        == case["due"]
    )


def test_cases_cover_every_reason() -> None:
    assert {case["due"] for case in CASES} == {None, *DueReason}


def test_each_slot_is_due_for_its_own_reason() -> None:
    fresh = view_of({}).record.values
    record = Record(*KEY, {**fresh, "mobile": "+44 20 7946 0018"})

    assert find_due(RecordView(record, SHAPE), POLICY, NOW, NONE_KNOWN) == {"mobile": DueReason.NEW}


@given(
    content=contents,
    before=st.sampled_from(["", " ", "\t\n "]),
    after=st.sampled_from(["", " ", "\r\n"]),
    age=ages,
    days=st.floats(0.01, 59),
)
def test_a_slot_is_skipped_as_fresh_by_content_and_age_alone(
    content: str, before: str, after: str, age: timedelta, days: float
) -> None:
    fields = {
        "phone": f"{before}{content}{after}",
        "screened": screened_value(content),
        "last_screened": NOW - age,
        "e164": read_number(content, "US").e164,
    }
    policy = Policy(max_age_days=days)
    due = find_due(view_of(fields), policy, NOW, NONE_KNOWN)

    assert due == ({} if age < policy.max_age else {"phone": DueReason.AGED})


@given(content=contents, other=contents, age=ages)
def test_a_verdict_about_another_content_is_never_fresh(content: str, other: str, age: timedelta) -> None:
    fields = {"phone": content, "screened": screened_value(other), "last_screened": NOW - age}
    if content.strip() != other.strip():
        assert reason_of(view_of(fields)) is DueReason.CHANGED


@given(
    content=st.none() | st.text(max_size=30),
    screened=st.none() | st.text(max_size=30),
    last=st.none() | ages.map(lambda age: NOW - age),
    status=st.none() | st.sampled_from([status.value for status in Status]),
    flag=st.booleans(),
    in_filter=st.booleans(),
    opted_out=st.sampled_from([[], [E164]]),
    rescreen=st.booleans(),
)
def test_equal_input_gives_equal_output_and_a_rescreen_takes_all_the_filter_does(
    content: str | None,
    screened: str | None,
    last: datetime | None,
    status: str | None,
    flag: bool,
    in_filter: bool,
    opted_out: list[str],
    rescreen: bool,
) -> None:
    fields = {"phone": content, "screened": screened, "last_screened": last, "status": status}
    fields |= {"flag": flag, "in_filter": in_filter}
    reason = reason_of(view_of(fields), opted_out, rescreen=rescreen)

    assert reason == reason_of(view_of(fields), opted_out, rescreen=rescreen)

    filled = bool((content or "").strip())
    if rescreen and filled and in_filter:
        assert reason is not None
    if filled and not in_filter:
        assert reason in (None, DueReason.PERMISSION)
    if not filled:
        assert reason is DueReason.CHANGED
