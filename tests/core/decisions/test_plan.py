"""The one place where a write is decided: what holds for every record, every verdict and every content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.decisions.plan import plan_change, same_value
from ringfence.core.model.record_view import RecordView
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Change, Companion, Record, Value
from ringfence.core.model.verdicts import OptOut, Verdict, judge, offline_facts, with_opt_out

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PHONE = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
MOBILE = Slot("mobile", {companion: f"rf_mobile_{companion.value}" for companion in Companion}, normalize=True)
SHAPE = ObjectShape("people", (PHONE, MOBILE), opt_outs=(OptOutFlag("optout", (True,)),), default_region="US")
FOREIGN = {"name": "Ada", "country": "US", "note": None}

moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
contents = (
    st.none()
    | st.text(max_size=100)
    | st.sampled_from(
        ["+1 415 555 0132", "(415) 555-0132", "020 7946 0018", "415 555 0132 x7", "+1 415 555 0132 / +44 20 7946 0018"]
    )
)
held = st.fixed_dictionaries(
    {"phone": contents, "mobile": contents, "optout": st.none() | st.booleans()},
    optional={
        **{name: st.none() | st.text(max_size=20) for slot in SHAPE.slots for name in slot.companions.values()},
        **{slot.companions[Companion.LAST_SCREENED]: st.none() | moments for slot in SHAPE.slots},
    },
)


def view_of(values: Mapping[str, Value]) -> RecordView:
    return RecordView(Record("people", "p1", {**FOREIGN, **values}, modified=NOW), SHAPE)


def written(view: RecordView, change: Change) -> RecordView:
    return RecordView(Record("people", "p1", {**view.record.values, **change.new_values()}, modified=NOW), SHAPE)


@st.composite
def decisions(draw: Any) -> tuple[RecordView, dict[str, Verdict | None], bool]:
    """Draw a record with verdicts on some of its slots, as a run would come to them, and whether its flag is raised."""
    view = view_of(draw(held))
    verdicts: dict[str, Verdict | None] = {}
    for slot in draw(st.lists(st.sampled_from(SHAPE.slots), unique_by=lambda slot: slot.field)):
        facts = offline_facts(view.number(slot), draw(moments))
        if draw(st.booleans()):
            facts = with_opt_out(facts, draw(st.sampled_from([OptOut.OWN, OptOut.SHARED])), NOW)
        verdicts[slot.field] = judge(facts) if view.content(slot) else None
    return view, verdicts, draw(st.booleans())


@given(decisions())
def test_what_was_written_is_not_written_again(decided: tuple[RecordView, dict[str, Verdict | None], bool]) -> None:
    view, verdicts, raise_flag = decided
    change = plan_change(view, verdicts, raise_flag=raise_flag)
    if change is not None:
        assert plan_change(written(view, change), verdicts, raise_flag=raise_flag) is None


@given(decisions())
def test_equal_input_gives_equal_output(decided: tuple[RecordView, dict[str, Verdict | None], bool]) -> None:
    view, verdicts, raise_flag = decided
    again = RecordView(Record("people", "p1", dict(reversed(view.record.values.items())), modified=NOW), SHAPE)
    shuffled = dict(reversed(verdicts.items()))

    assert plan_change(view, verdicts, raise_flag=raise_flag) == plan_change(again, shuffled, raise_flag=raise_flag)


@given(decisions())
def test_only_owned_fields_of_the_slots_in_question_are_written(
    decided: tuple[RecordView, dict[str, Verdict | None], bool],
) -> None:
    view, verdicts, raise_flag = decided
    change = plan_change(view, verdicts, raise_flag=raise_flag)
    allowed = {name for slot in SHAPE.slots if slot.field in verdicts for name in slot.companions.values()}
    allowed |= {"mobile"} & verdicts.keys()
    allowed |= {"optout"} if raise_flag else set()
    for item in change.fields if change else ():
        assert item.field in allowed
        assert item.field in SHAPE.owned_fields()
        assert item.old == view.record.values.get(item.field)
        assert not same_value(item.old, item.new)


@given(decisions())
def test_permission_is_never_loosened(decided: tuple[RecordView, dict[str, Verdict | None], bool]) -> None:
    view, verdicts, raise_flag = decided
    change = plan_change(view, verdicts, raise_flag=raise_flag)
    flag = change.new_values().get("optout") if change else None

    assert flag in (None, True)
    assert (flag is True) == (raise_flag and view.record.values["optout"] is not True)


@given(decisions())
def test_a_phone_field_is_rewritten_only_to_its_own_number_and_under_guard(
    decided: tuple[RecordView, dict[str, Verdict | None], bool],
) -> None:
    view, verdicts, raise_flag = decided
    change = plan_change(view, verdicts, raise_flag=raise_flag)
    if change is None or "mobile" not in change.new_values():
        assert change is None or change.guard == {}
        return

    assert change.guard == {"mobile": view.record.values["mobile"]}

    number = view.number(MOBILE)

    assert change.new_values()["mobile"] == number.e164
    assert (number.extension, number.others, number.repairs) == (None, (), ())
    assert not any(map(str.isalpha, view.content(MOBILE)))
    assert written(view, change).held(MOBILE, Companion.SCREENED_VALUE) in (None, number.e164)


@pytest.mark.parametrize(
    ("content", "becomes"),
    [
        ("(415) 555-0132", "+14155550132"),
        ("+1 415 555 0132", "+14155550132"),
        ("415.555.0132", "+14155550132"),
        ("1/415/555-0132", "+14155550132"),
        ("011 44 20 7946 0018", "+442079460018"),
        ("+14155550132", None),
        ("415-555-0132 ... press 12", None),
        ("415 555 0132 ask for Anna", None),
        ("Tel: 415 555 0132", None),
        ("Room 5: 415 555 0132", None),
        ("'+14155550132", None),
        ("4155550132.0", None),
        ("4.155550132E9", None),
        ("0044 20 7946 0018", None),
        ("442079460018", None),
        ("+44 (0)20 7946 0018", None),
        ("9-415-555-0132", None),
        ("*67 415-555-0132", None),
        ("+52 1 55 1234 5678", None),
        ("+1 +1 415 555 0132", None),
        ("415\n555 0132", None),
        ("415\u2013555\u20130132", None),
        ("4I5 555 0132", None),
        ("555-555-5555", None),
        ("415 555 0132 x7", None),
        ("+1 415 555 0132 / +44 20 7946 0018", None),
        ("020 7946 0018", None),
        ("n/a", None),
    ],
)
def test_only_a_certain_number_is_normalised(content: str, becomes: str | None) -> None:
    view = view_of({"mobile": content})
    change = plan_change(view, {"mobile": judge(offline_facts(view.number(MOBILE), NOW))})

    assert change is not None
    assert change.new_values().get("mobile") == becomes
    assert change.new_values()["rf_mobile_screened_value"] == (becomes or content)


def test_an_emptied_slot_loses_all_six_companions_and_the_other_keeps_its_own() -> None:
    filled = {name: "x" for slot in SHAPE.slots for name in slot.companions.values()}
    change = plan_change(view_of({**filled, "phone": " "}), {"phone": None})

    assert change is not None
    assert change.new_values() == dict.fromkeys(PHONE.companions.values())


@pytest.mark.parametrize(
    ("held_value", "new", "same"),
    [
        (None, "", True),
        (" valid ", "valid", True),
        ("Valid", "valid", False),
        (None, "valid", False),
        (False, None, False),
        ("true", True, False),
        (True, True, True),
        (NOW, NOW.astimezone(timezone(timedelta(hours=9))), True),
        (NOW + timedelta(microseconds=999_999), NOW, True),
        (NOW + timedelta(seconds=1), NOW, False),
    ],
)
def test_what_a_crm_does_to_a_value_is_no_difference(held_value: Value, new: Value, same: bool) -> None:
    assert same_value(held_value, new) is same
