"""What an opt-out covers: the slots of its own record, and every slot that holds one of its numbers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.core.decisions.coverage import (
    can_raise_flag,
    describe_related_number,
    find_opt_out,
    is_covered,
    is_reached,
    is_record_covered,
    silence,
    silenced_slots,
)
from ringfence.core.model.opt_outs import OptOuts
from ringfence.core.model.record_view import RecordView
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Companion, Record
from ringfence.core.model.verdicts import judge

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PHONE = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
MOBILE = Slot("mobile", {companion: f"rf_mobile_{companion.value}" for companion in Companion})
SHAPE = ObjectShape("people", (PHONE, MOBILE), opt_outs=(OptOutFlag("optout", (True,)),), default_region="US")
FLAGLESS = ObjectShape("people", (PHONE, MOBILE), default_region="US")
HELD, FURTHER, ELSEWHERE = "+14155550132", "+14155550143", "+442079460018"


def view_of(*, flag: bool = False, shape: ObjectShape = SHAPE) -> RecordView:
    """Return a record with two numbers in its phone and one in its mobile."""
    values = {"phone": "+1 415 555 0132 or +1 415 555 0143", "mobile": "+44 20 7946 0018", "optout": flag}
    return RecordView(Record("people", "p1", values), shape)


@pytest.mark.parametrize(
    ("flag", "covered", "slots", "record"),
    [
        (False, (), [False, False], False),
        (True, (), [True, True], True),
        (False, (HELD,), [True, False], True),
        (False, (FURTHER,), [True, False], True),
        (False, (ELSEWHERE,), [False, True], True),
        (False, ("+14155550199",), [False, False], False),
    ],
)
def test_an_own_flag_covers_every_slot_and_another_records_only_its_numbers(
    flag: bool, covered: tuple[str, ...], slots: list[bool], record: bool
) -> None:
    view = view_of(flag=flag)

    assert [is_covered(view, slot, frozenset(covered)) for slot in SHAPE.slots] == slots
    assert is_record_covered(view, frozenset(covered)) is record


@pytest.mark.parametrize(
    ("view", "can_raise"), [(view_of(), True), (view_of(flag=True), False), (view_of(shape=FLAGLESS), False)]
)
def test_a_record_is_reached_by_a_covered_number_while_its_flag_can_be_raised(
    view: RecordView, can_raise: bool
) -> None:
    assert can_raise_flag(view) is can_raise
    assert is_reached(view, OptOuts(frozenset({ELSEWHERE}))) is can_raise
    assert not is_reached(view, OptOuts())


@pytest.mark.parametrize(
    ("covered", "phone", "mobile"),
    [
        ((HELD,), "", "+1415***0132 in phone"),
        ((HELD, FURTHER), "", "+1415***0132 in phone"),
        ((FURTHER,), "+1415***0143 in phone", "+1415***0143 in phone"),
        ((ELSEWHERE,), "+4420***0018 in mobile", ""),
        ((), "", ""),
    ],
)
def test_a_slot_names_the_other_number_that_an_opt_out_came_by(
    covered: tuple[str, ...], phone: str, mobile: str
) -> None:
    named = [describe_related_number(view_of(), slot, frozenset(covered)) for slot in SHAPE.slots]

    assert named == [phone, mobile]


def test_a_silenced_slot_says_whose_opt_out_it_is() -> None:
    own = silence(view_of(flag=True), PHONE, OptOuts(frozenset({HELD})), NOW)
    shared = silence(view_of(), MOBILE, OptOuts(frozenset({HELD})), NOW)

    assert own.reason.startswith("opted_out: the opt-out flag of this record is set")
    assert shared.reason.startswith("opted_out: another record with +1415***0132 in phone opted out")
    assert {own.status, shared.status} == {"do_not_contact"}
    assert own.last_screened == shared.last_screened == NOW


@pytest.mark.parametrize(
    ("covered", "reason"),
    [
        ((HELD,), "opted_out: another record with this number opted out"),
        ((FURTHER,), "opted_out: another record with +1415***0143 opted out"),
        ((ELSEWHERE,), None),
    ],
)
def test_a_number_outside_any_record_is_covered_by_an_opt_out_on_any_number_of_its_cell(
    covered: tuple[str, ...], reason: str | None
) -> None:
    facts = find_opt_out(view_of().number(PHONE), frozenset(covered), NOW)

    assert (facts is None) is (reason is None)
    if facts is not None and reason is not None:
        assert judge(facts).reason.startswith(reason)


def test_silenced_slots_are_those_whose_status_says_so() -> None:
    values = {"rf_phone_status": "do_not_contact", "rf_mobile_status": "invalid"}

    assert list(silenced_slots(SHAPE, values)) == [PHONE]
    assert list(silenced_slots(SHAPE, {})) == []
