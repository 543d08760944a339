"""``ringfence duplicates``: numbers that several records hold, counted without writing anything anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import phonenumbers
import pytest

from ringfence.core.numbers import mask
from ringfence.sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=40) as running:
        running.hubspot.searches.limit = 1000
        yield running


@pytest.fixture(autouse=True)
def _settings(settings: dict[str, str]) -> None:
    """Take the sandbox's settings."""


SHARED, ALONE = "+12025550143", "+12025550144"


def give(sandbox: Sandbox, numbers: dict[int, dict[str, str]]) -> None:
    """Give the first contacts of the portal these phone fields, and nobody else any."""
    for place, record_id in enumerate(list(sandbox.hubspot.contacts)):
        sandbox.hubspot.update_as_user(record_id, **({"phone": "", "mobilephone": ""} | numbers.get(place, {})))


def test_a_number_counts_once_for_each_record_and_is_shown_masked(cli: Any, sandbox: Sandbox) -> None:
    held = {place: {"phone": "(202) 555-0143", "mobilephone": SHARED} for place in range(3)}
    give(sandbox, {**held, 3: {"phone": ALONE}, 4: {"phone": "12"}, 5: {"phone": "12"}})

    result = cli("duplicates", "hubspot", "--json")

    assert result.code == 0
    assert result.document["numbers"] == [
        {"number": mask(SHARED), "holders": 3, "objects": {"contacts": 3}, "switchboard": False}
    ]
    assert (result.document["shared"], result.document["accounts"]) == (1, ["hubspot"])
    assert SHARED not in result.out + result.err
    assert cli("duplicates", "hubspot", "--min", "4", "--json").document["numbers"] == []


def test_a_switchboard_is_recognised_and_counts_go_across_crms(cli: Any, sandbox: Sandbox) -> None:
    give(sandbox, {place: {"phone": SHARED} for place in range(26)})
    contacts = list(sandbox.salesforce.rows("Contact"))
    for record_id in contacts[:2]:
        sandbox.salesforce.update_as_user("Contact", record_id, Phone=SHARED)

    result = cli("duplicates", "--json")

    first = result.document["numbers"][0]
    assert first["objects"] == {"hubspot/contacts": 26, "salesforce/Contact": 2}
    assert (first["holders"], first["switchboard"]) == (28, True)
    assert result.document["accounts"] == ["hubspot", "salesforce"]


def test_the_counts_are_those_of_the_records(cli: Any, sandbox: Sandbox) -> None:
    holders: Counter[str] = Counter()
    for contact in sandbox.hubspot.contacts.values():
        held = set()
        for name in ("phone", "mobilephone"):
            text = contact.get(name) or ""
            if text.startswith("+") and text[1:].isdigit():
                held.add(text)
        holders.update(held)
    plain = {
        number
        for number, count in holders.items()
        if count > 1 and phonenumbers.is_valid_number(phonenumbers.parse(number))
    }

    shown = {each["number"] for each in cli("duplicates", "hubspot", "--json").document["numbers"]}

    assert {mask(number) for number in plain} <= shown
