"""Ids of records as people write them."""

from __future__ import annotations

import pytest

from ringfence.connectors.hubspot.record_ids import plain_id
from ringfence.connectors.salesforce.record_ids import full_id
from ringfence.sandbox.salesforce.ids import new_ids


def test_an_id_of_15_characters_is_brought_to_18() -> None:
    wanted = next(new_ids("003"))

    assert full_id(f" {wanted[:15]} ") == full_id(wanted) == wanted


@pytest.mark.parametrize("text", ["", "003", "003000000000abC!", "003000000000abCAA"])
def test_what_is_no_id_is_none(text: str) -> None:
    assert full_id(text) is None


def test_ids_of_hubspot_are_digits() -> None:
    assert plain_id(" 1234 ") == "1234"
    assert plain_id("12a") is None
