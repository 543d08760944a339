"""Changes under a seal come out as they went in, also those that an earlier version sealed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.model.values import Change, FieldChange
from ringfence.core.state.change_codec import pack_changes, unpack_changes
from ringfence.core.state.keyring import KEY_BYTES, Keyring

KEYRING = Keyring(bytes(KEY_BYTES), bytes(KEY_BYTES))
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)

values = st.none() | st.booleans() | st.text(max_size=20) | st.datetimes(timezones=st.just(UTC))
changes = st.builds(
    Change.of,
    object_name=st.text(min_size=1, max_size=5),
    record_id=st.text(min_size=1, max_size=5),
    fields=st.lists(st.builds(FieldChange, st.text(max_size=5), values, values), max_size=3).map(tuple),
    guard=st.dictionaries(st.text(max_size=5), values, max_size=2),
    modified=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(changes, max_size=5))
def test_changes_come_out_of_their_seal_as_they_were(some: list[Change]) -> None:
    assert list(unpack_changes(KEYRING.open(KEYRING.seal(pack_changes(some))))) == some


def test_names_are_kept_once_for_changes_of_one_kind() -> None:
    some = [Change.of("Contact", str(n), (FieldChange("A_Long_Name__c", None, f"v{n}"),)) for n in range(50)]
    assert json.dumps(pack_changes(some)).count("A_Long_Name__c") == 1


def test_what_an_earlier_version_sealed_is_read() -> None:
    moment = ["2026-11-02T09:00:00+00:00"]
    kept: list[Any] = [["Contact", "1", [["Phone", "x", "y"], ["Last__c", None, moment]], {"Phone": "x"}, moment]]
    (change,) = unpack_changes(KEYRING.open(KEYRING.seal(kept)))

    fields = (FieldChange("Phone", "x", "y"), FieldChange("Last__c", None, NOW))

    assert change == Change.of("Contact", "1", fields, {"Phone": "x"}, NOW)
    assert isinstance(change.fields[0], FieldChange)
