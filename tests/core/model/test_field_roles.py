"""What each field of a mapping is for, and how it outlives the mapping."""

from __future__ import annotations

import json

import pytest

from ringfence.core.model.field_roles import FieldRole, FieldRoles
from ringfence.core.model.masking import show_change
from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.model.values import Change, Companion, FieldChange

PHONE = Slot("Phone", {companion: f"My_{companion.value}" for companion in Companion})
ROLES = FieldRoles.of({"Contact": ObjectShape("Contact", (PHONE,), opt_outs=(OptOutFlag("Out", ("Yes",)),))})


def test_roles_tell_slots_companions_and_flag_apart() -> None:
    fields = ROLES.of_object("Contact")

    assert fields["Phone"] == FieldRole("phone", "Phone")
    assert fields["My_line_type"] == FieldRole("line_type", "Phone")
    assert fields["Out"] == FieldRole("flag")
    assert ROLES.of_object("Lead") == {}
    assert ROLES.slots() == ["Phone"]


def test_roles_come_back_from_json_as_they_were() -> None:
    assert FieldRoles.from_json(json.loads(json.dumps(ROLES.to_json()))) == ROLES

    for broken in ([], {"Contact": 3}, {"Contact": {"Phone": ["phone", "Phone", "more"]}}):
        with pytest.raises(ValueError, match="no roles"):
            FieldRoles.from_json(broken)


def test_a_reason_stays_readable_whatever_its_code_and_only_loses_numbers() -> None:
    reason = "from_the_future: the dialler of +14155550132 says so (dropped 12345)"
    changed = Change.of("Contact", "1", [FieldChange("My_reason", None, reason)])
    readable = "from_the_future: the dialler of +1415***0132 says so (dropped 12345)"

    assert show_change(changed, ROLES)["fields"]["My_reason"]["new"] == readable
    assert show_change(changed, FieldRoles())["fields"]["My_reason"]["new"] == readable
    assert show_change(changed, FieldRoles(), reveal=True)["fields"]["My_reason"]["new"] == reason
