"""Many changes, as a person reviews them: by kind, with examples, and with whose opt-out it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.core.model.change_view import Kind, view_change
from ringfence.core.model.field_roles import FieldRoles
from ringfence.core.model.review import EXAMPLES, OWN_FLAG, SHARED, SHARED_ELSEWHERE, Review, say_whose
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Change, Companion, FieldChange

NUMBER = "+14155550132"
SLOTS = tuple(Slot(name, {each: f"{name}_{each}" for each in Companion}) for name in ("home", "work"))
ROLES = FieldRoles.of({"people": ObjectShape("people", SLOTS, opt_outs=(OptOutFlag("out", (True,)),))})
OWN = "opted_out: the opt-out flag of this record is set"
SHARED_REASON = (
    "opted_out: another record with this number opted out: to lift it, clear the flag on all records that hold it"
)


def status(slot: str, new: str | None, old: str | None = None, reason: str = "") -> list[FieldChange]:
    reasons = [FieldChange(f"{slot}_reason", None, reason)] if reason else []
    return [FieldChange(f"{slot}_status", old, new), *reasons]


def change(*fields: FieldChange, guard: dict[str, str] | None = None, name: str = "people") -> Change:
    return Change.of(name, "p1", fields, guard or {})


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        (status("home", "valid"), [Kind.VERDICT]),
        (status("home", "invalid"), [Kind.INVALID]),
        (status("home", "do_not_contact", "valid"), [Kind.SILENCED]),
        (status("home", None, "valid"), [Kind.EMPTIED]),
        ([FieldChange("home_last_screened", None, datetime(2026, 11, 2, tzinfo=UTC))], [Kind.REFRESHED]),
        ([FieldChange("work", "(415) 555-0132", NUMBER)], [Kind.PHONE_REWRITTEN]),
        ([*status("work", "do_not_contact"), FieldChange("out", False, True)], [Kind.FLAG_RAISED, Kind.SILENCED]),
        ([FieldChange("unheard_of", None, "x")], [Kind.OTHER]),
    ],
)
def test_a_change_is_told_by_what_it_does(fields: list[FieldChange], kinds: list[Kind]) -> None:
    assert view_change(change(*fields), ROLES).kinds == kinds


def test_a_phone_field_of_an_object_that_is_mapped_no_more_is_known_by_its_guard() -> None:
    rewrite = FieldChange("mobile", "(415) 555-0132", NUMBER)

    view = view_change(change(rewrite, guard={"mobile": "(415) 555-0132"}, name="leads"), ROLES)

    assert (view.rewrites, view.others) == ((rewrite,), ())


def test_counts_are_of_changes_flags_fields_and_slots() -> None:
    both = [*status("home", "invalid", reason="too_short: digits are missing"), *status("work", "valid")]
    flagged = [FieldChange("out", False, True), *status("home", "do_not_contact", reason=SHARED_REASON)]

    review = Review(ROLES).take([change(*both), change(*flagged)])

    counts = review.objects["people"]
    assert (counts.changes, counts.flags_raised, counts.slots_invalid, counts.slots_silenced) == (2, 1, 1, 1)
    assert counts.slots_other == review.moves["people", "", "valid"].slots == 1
    assert review.invalid["too_short: digits are missing"].slots == 1
    assert review.silenced[SHARED].slots == 1


def test_of_many_changes_that_are_alike_a_few_are_kept() -> None:
    alike = (change(*status("home", "invalid", reason=f"masked: digits are masked (dropped {i})")) for i in range(500))

    review = Review(ROLES).take(alike)

    (group,) = review.invalid.values()
    assert (group.slots, len(group.examples)) == (500, EXAMPLES)


def test_a_reason_tells_whose_opt_out_it_is() -> None:
    elsewhere = SHARED_REASON.replace("this number", "+1415***0132 in work")

    assert [*Review(ROLES).take([change(*status("home", "do_not_contact", reason=OWN))]).silenced] == [OWN_FLAG]
    assert say_whose(OWN) == OWN_FLAG
    assert say_whose(elsewhere) == "another record with +1415***0132 in work opted out"
    assert [*Review(ROLES).take([change(*status("home", "do_not_contact", reason=elsewhere))]).silenced] == [
        SHARED_ELSEWHERE
    ]
