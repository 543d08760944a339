"""An object in ranges of ids, each read beside the others: what is special about HubSpot in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
import requests

from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.core.errors import StateError
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., HubSpotCrm]
LATE = datetime(2100, 1, 1, tzinfo=UTC)


def read(crm: HubSpotCrm, ranges: Sequence[str]) -> list[list[str]]:
    feeds = [crm.open_range("contacts", each) for each in ranges]
    return [[record.id for page in feed.changed() for record in page.records] for feed in feeds]


def test_ranges_are_even_and_found_by_few_searches(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    crm.check()
    before = crm.calls.get("read", 0)

    ranges = crm.split("contacts", 3)
    asked = crm.calls.get("read", 0) - before
    parts = read(crm, ranges)

    assert Counter(one for part in parts for one in part) == Counter(list(portal.contacts))
    assert max(map(len, parts)) < 1.3 * len(portal.contacts) / 3
    assert asked <= 8


def create(sandbox: Sandbox) -> str:
    url = f"{sandbox.hubspot_url}/crm/v3/objects/contacts"
    headers = {"Authorization": f"Bearer {sandbox.hubspot.access_token}"}
    answer = requests.post(url, json={"properties": {"phone": "+14155550132"}}, headers=headers, timeout=30)
    return str(answer.json()["id"])


def test_what_the_index_does_not_know_yet_belongs_to_a_range(
    crm: HubSpotCrm, portal: HubSpotPortal, sandbox: Sandbox
) -> None:
    crm.check()
    ranges = crm.split("contacts", 2)
    portal.search_lag_s = 3_600.0
    made = create(sandbox)

    low, high = read(crm, ranges)

    assert made in high
    assert Counter([*low, *high]) == Counter(list(portal.contacts))


def test_a_range_is_left_at_its_end(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    crm.check()
    first, *_ = crm.split("contacts", 4)
    before = crm.calls.get("read", 0)

    (part,) = read(crm, [first])

    assert crm.calls.get("read", 0) - before <= 1 + len(part) // 100 + 1


def test_due_records_under_a_filter_of_three_conditions(connect: Connect, portal: HubSpotPortal) -> None:
    wanted = sorted(portal.contacts)[::3]
    for one in portal.contacts:
        portal.update_as_user(one, country="DE" if one in wanted else "FR", phone="+14155550132", lastname="Doe")
    conditions = [
        "country, operator: EQ, value: DE",
        "lastname, operator: EQ, value: Doe",
        "phone, operator: HAS_PROPERTY",
    ]
    crm = connect(filter=f"[{', '.join(f'{{propertyName: {each}}}' for each in conditions)}]")
    crm.check()

    feeds = [crm.open_range("contacts", each) for each in crm.split("contacts", 3)]
    due = [[record.id for page in feed.due(LATE) for record in page.records] for feed in feeds]

    assert all(due)
    assert sorted(one for part in due for one in part) == wanted
    assert crm.count_due("contacts", LATE) is None, "so many conditions take more than one search"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"low": "x", "high": null}'])
def test_a_text_that_is_no_range_is_refused(crm: HubSpotCrm, text: str) -> None:
    with pytest.raises(StateError):
        crm.open_range("contacts", text)
