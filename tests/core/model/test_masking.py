"""A change as it may be shown: its numbers are masked, the rest is readable."""

from __future__ import annotations

from datetime import UTC, datetime

from ringfence.core.model.masking import mask_change
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Change, Companion, FieldChange

PHONE = Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion})
SHAPE = ObjectShape("people", (PHONE,), opt_outs=(OptOutFlag("optout", (True,)),))
CHANGE = Change.of(
    "people",
    "p1",
    [
        FieldChange("phone", "(415) 555-0132", "+14155550132"),
        FieldChange("rf_phone_e164", None, "+14155550132"),
        FieldChange("rf_phone_screened_value", "1 415 555 0132", "+14155550132"),
        FieldChange("rf_phone_reason", None, "opted_out: since 2026-11-02 by letter 12345"),
        FieldChange("rf_phone_last_screened", None, datetime(2026, 11, 2, 9, tzinfo=UTC)),
        FieldChange("optout", False, True),
    ],
)


def test_numbers_are_masked_where_numbers_stand() -> None:
    shown = mask_change(CHANGE, SHAPE)

    assert (shown["object"], shown["id"]) == ("people", "p1")
    assert shown["fields"] == {
        "phone": {"old": "***32", "new": "+1415***0132"},
        "rf_phone_e164": {"old": None, "new": "+1415***0132"},
        "rf_phone_screened_value": {"old": "***32", "new": "+1415***0132"},
        "rf_phone_reason": {"old": None, "new": "opted_out: since 2026-11-02 by letter 12345"},
        "rf_phone_last_screened": {"old": None, "new": "2026-11-02T09:00:00Z"},
        "optout": {"old": False, "new": True},
    }


def test_without_a_shape_every_text_is_masked() -> None:
    shown = mask_change(CHANGE, None)["fields"]

    assert "5555" not in str(shown)
    assert shown["rf_phone_reason"]["new"] == "opted_out: since 2026-11-02 by letter 12345"


def test_numbers_are_shown_where_that_is_wanted() -> None:
    shown = mask_change(CHANGE, SHAPE, reveal=True)["fields"]

    assert shown["phone"] == {"old": "(415) 555-0132", "new": "+14155550132"}
