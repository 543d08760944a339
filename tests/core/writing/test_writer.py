"""The last door before the CRM: it lets through owned fields, and a flag only on its way up."""

from __future__ import annotations

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.errors import RingfenceError
from ringfence.core.model.values import Change, FieldChange, Value
from ringfence.core.state.journal import Journal
from ringfence.core.state.store import Store
from ringfence.core.writing.writer import ChangeWriter
from testkit.clock import SetClock


@pytest.fixture
def writer(crm: MemoryCrm, store: Store, clock: SetClock) -> ChangeWriter:
    return ChangeWriter(crm, crm.shapes, Journal(store, "run"), clock)


def change(**new: Value) -> Change:
    return Change.of("people", "p1", [FieldChange(name, None, value) for name, value in new.items()])


def test_what_is_not_ours_is_not_written(writer: ChangeWriter) -> None:
    assert writer.admit([change(rf_phone_status="valid")])
    for foreign in (change(phone="+14155550132"), change(rf_phone_status="valid", country="US")):
        with pytest.raises(RingfenceError, match="not ours"):
            writer.admit([change(rf_phone_status="valid"), foreign])


@pytest.mark.parametrize("lowered", [False, None, ""])
def test_a_flag_is_not_lowered_also_where_it_was_just_raised(writer: ChangeWriter, lowered: Value) -> None:
    assert writer.admit([change(rf_phone_status="do_not_contact", optout=True)] * 2)
    with pytest.raises(RingfenceError, match="would lower optout"):
        writer.admit([change(rf_phone_status="do_not_contact", optout=lowered)])
