"""Shapes: when an opt-out flag is up, and what raises it without losing what else its field says."""

from __future__ import annotations

import pytest

from ringfence.core.model.shapes import OptOutFlag
from ringfence.core.model.values import Value

CHECKBOX = OptOutFlag("optout", (True,))
LIST = OptOutFlag("optout", ("no_calls", "Never"), multiple=True)
PLAIN = OptOutFlag("optout", ("no_calls",))


@pytest.mark.parametrize(
    ("flag", "value", "up"),
    [
        (CHECKBOX, True, True),
        (CHECKBOX, False, False),
        (CHECKBOX, None, False),
        (CHECKBOX, "true", False),
        (PLAIN, " No_Calls ", True),
        (PLAIN, "no_calls;vip", True),
        (LIST, "no_calls", True),
        (LIST, "vip;no_calls", True),
        (LIST, "vip; never ;no_email", True),
        (LIST, ";no_calls;", True),
        (LIST, "vip;no_email", False),
        (LIST, "no_calls_at_night;vip", False),
        (LIST, "", False),
        (LIST, None, False),
    ],
)
def test_a_flag_is_up_where_any_of_its_values_is_there(flag: OptOutFlag, value: Value, up: bool) -> None:
    assert flag.is_up(value) is up


@pytest.mark.parametrize(
    ("flag", "present", "raised"),
    [
        (CHECKBOX, False, True),
        (CHECKBOX, None, True),
        (PLAIN, "maybe", "no_calls"),
        (PLAIN, "vip;no_email", "vip;no_email;no_calls"),
        (LIST, None, "no_calls"),
        (LIST, "", "no_calls"),
        (LIST, "vip", "vip;no_calls"),
        (LIST, "vip; no_email", "vip;no_email;no_calls"),
    ],
)
def test_raising_a_flag_keeps_the_other_values_of_its_field(flag: OptOutFlag, present: Value, raised: Value) -> None:
    assert flag.raise_over(present) == raised
    assert flag.is_up(raised)
