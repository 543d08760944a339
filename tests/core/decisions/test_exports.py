"""Which list a slot is on: what silences it comes first, and a verdict counts only for what the slot holds now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.core.decisions.exports import SlotStanding, Use, judge_slot
from ringfence.core.model.blocks import Block, BlockKind, BlockSource, Channel
from ringfence.core.model.consent import ConsentFields
from ringfence.core.model.record_view import RecordView
from ringfence.core.model.shapes import ObjectShape, Slot
from ringfence.core.model.values import Companion, Record, Value

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PHONE = Slot("phone", {companion: companion.value for companion in Companion})
CONSENT = ConsentFields("agreed", ("yes",), ("no",), purposes=("service",))
SHAPE = ObjectShape("people", (PHONE,), default_region="US", consent=CONSENT)
LIFTS = "ringfence suppress lift takes it off"
SCREENED: dict[str, Value] = {
    "phone": "+1 415 555 0132",
    "status": "valid",
    "reason": "allocated: well formed but not confirmed to be live",
    "e164": "+14155550132",
    "screened_value": "+1 415 555 0132",
    "last_screened": NOW,
}
WAYS = (Channel.VOICE, Channel.SMS, Channel.ALL)
CALLS, TEXTS, ALL = (
    Block(BlockKind.COMPLAINT, each, BlockSource.PERSON) for each in (Channel.VOICE, Channel.SMS, Channel.ALL)
)


def judge(
    *blocks: Block, asked: Channel = Channel.VOICE, purpose: str | None = None, in_scope: bool = True, **held: Value
) -> SlotStanding:
    record = Record("people", "p1", {**SCREENED, **held}, in_scope=in_scope)
    found = {"+14155550132": blocks} if blocks else {}
    return judge_slot(RecordView(record, SHAPE), PHONE, found, Use(asked, purpose, NOW, "memory:1"))


@pytest.mark.parametrize(
    ("held", "found", "out"),
    [
        ({}, "callable", "callable"),
        ({"status": "active"}, "callable", "callable"),
        ({"status": "disconnected"}, "invalid", "disconnected"),
        ({"status": "wrong_person"}, "invalid", "wrong_person"),
        ({"status": None}, None, "not_screened"),
        ({"last_screened": None}, None, "not_screened"),
        ({"screened_value": "+1 415 555 0199"}, None, "changed_since_screened"),
        ({"e164": "+14155550199"}, None, "changed_since_screened"),
        ({"status": "fine"}, None, "changed_since_screened"),
        ({"status": "unknown", "phone": "12 34", "screened_value": "12 34", "e164": None}, None, "no_number"),
        ({"status": "do_not_contact"}, "suppressed", "suppressed"),
        ({"status": "do_not_contact", "phone": "+1 415 555 0199"}, None, "changed_since_screened"),
        ({"in_scope": False}, None, "out_of_filter"),
        ({"in_scope": False, "status": "do_not_contact"}, "suppressed", "suppressed"),
        ({"purpose": "service", "agreed": "yes"}, "callable", "callable"),
        ({"purpose": "marketing", "agreed": "yes"}, None, "no_consent"),
        ({"purpose": "service"}, None, "no_consent"),
        ({"agreed": "no"}, "suppressed", "suppressed"),
        ({"purpose": "service", "status": "invalid"}, "invalid", "invalid"),
    ],
)
def test_a_slot_is_on_the_list_of_its_verdict(held: dict[str, Value], found: str | None, out: str) -> None:
    standing = judge(**held)  # type: ignore[arg-type]  # the fields and the words of the use in one table

    assert (standing.list, standing.out) == (found, out)


@pytest.mark.parametrize(
    ("block", "asked", "silent"),
    [
        (CALLS, Channel.VOICE, True),
        (CALLS, Channel.SMS, False),
        (TEXTS, Channel.VOICE, False),
        (TEXTS, Channel.SMS, True),
        (TEXTS, Channel.ALL, True),
        (ALL, Channel.SMS, True),
    ],
)
def test_a_block_counts_for_the_channel_that_is_asked(block: Block, asked: Channel, silent: bool) -> None:
    assert (judge(block, asked=asked).list == "suppressed") is silent
    assert (judge(block, asked=asked, status=None).list == "suppressed") is silent


def test_who_may_be_called_but_not_texted_keeps_the_status() -> None:
    assert judge(TEXTS, asked=Channel.SMS).status == "valid"
    assert judge(ALL, asked=Channel.SMS).status == "do_not_contact"


def test_the_reason_names_what_silences_the_number_before_a_sync_has_written_it() -> None:
    assert judge(ALL).reason == "opted_out: this number is on ringfence's own list (complaint): " + LIFTS
    held = "opted_out: the opt-out flag of this record is set"
    assert judge(ALL, status="do_not_contact", reason=held).reason == held
