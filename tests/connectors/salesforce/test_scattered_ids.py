"""Ids that do not rise in time: a read in the order of ids loses no record that is made meanwhile, whatever its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.ports.crm import Page
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.journal import Journal
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.writes import Author, create_row
from ringfence.sandbox.server import Sandbox

ORG = parse_org("salesforce: {scattered_ids: true}", "test")

pytestmark = pytest.mark.parametrize("sandbox", [{"contacts": 40, "org": ORG}], indirect=True)


def ids(pages: Iterable[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def test_records_made_during_a_read_come_with_it_or_with_the_next(
    connect: Callable[..., SalesforceCrm], org: SalesforceOrg, sandbox: Sandbox
) -> None:
    org.page_size = 5
    sandbox.clock.advance(600)
    made: list[str] = []
    read: list[str] = []
    cursor = None

    for page in connect().open_feed({}).changed():
        read += ids([page])
        cursor = page.cursor or cursor
        with org.lock:
            made.append(create_row(org, "Contact", {"LastName": "New"}, Author(org.human_id, False, Journal())))

    assert any(one < max(read) for one in made)
    assert set(made) - set(read)

    sandbox.clock.advance(600)
    after = ids(connect().open_feed({"Contact": cursor}).changed())

    assert set(made) <= set(read) | set(after)
    assert set(org.rows("Contact")) == set(read) | set(after)
    assert len(after) == len(set(after))
