"""In how many calls pages come, and that a read goes on behind the last row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import MappingError
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reads import alive, ids, records, settle

Connect = Callable[..., SalesforceCrm]


@pytest.mark.parametrize("sandbox", [{"contacts": 900}], indirect=True)
def test_every_page_costs_one_call_and_first_pages_share_one(connect: Connect, both: str, org: SalesforceOrg) -> None:
    org.page_size = 200
    crm = connect(both)
    crm.identify()
    feed = crm.open_feed({})
    list(feed.flagged())
    pages = list(feed.changed())

    held = {name: len(alive(org, name)) for name in ("Contact", "Lead")}

    assert Counter(record.object for record in records(pages)) == held
    assert {page.object: page.total for page in pages} == held

    further = sum(-(-count // 200) - 1 for count in held.values())

    assert crm.calls == {"login": 1, "opt_outs": 1, "read": 1 + further}


def test_shorter_pages_than_asked_for_end_nothing(connect: Connect, org: SalesforceOrg) -> None:
    org.page_size = 7
    assert Counter(ids(connect().open_feed({}).changed())) == Counter(alive(org))


@pytest.mark.parametrize("full", [True, False])
def test_an_expired_query_cursor_starts_again_behind_the_last_row(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str, full: bool
) -> None:
    org.page_size = 9
    wanted = alive(org)

    if not full:
        for one in wanted:
            org.update_as_user("Contact", one, Title="boss")
        settle(sandbox)

    feed = connect().open_feed({"Contact": None if full else cursor})
    read: list[str] = []

    for page in feed.changed():
        read += ids([page])
        org.cursors.drop_all()

    assert Counter(read) == Counter(wanted)


def test_rows_that_vanish_between_two_pages_are_told(
    connect: Connect, org: SalesforceOrg, caplog: pytest.LogCaptureFixture
) -> None:
    org.page_size = 9
    wanted = alive(org)
    pages = connect().open_feed({}).changed()
    read = ids([next(pages)])
    org.delete("Contact", wanted[-1])
    org.cursors.drop_all()

    assert Counter(read + ids(pages)) == Counter(wanted[:-1])
    assert f"Contact: 1 of {len(wanted)} rows vanished" in caplog.text


def test_a_query_too_long_for_an_address_is_the_mappings_fault(connect: Connect) -> None:
    crm = connect(filter=f'"Title IN ({", ".join(repr(str(n)) for n in range(3_000))})"')

    with pytest.raises(MappingError, match="16,384"):
        list(crm.open_feed({}).changed())


@pytest.mark.parametrize("sandbox", [{"contacts": 3_100}], indirect=True)
def test_fetch_takes_two_thousand_a_call(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    wanted = alive(org)[:2_100]

    assert Counter(record.id for record in crm.fetch("Contact", wanted)) == Counter(wanted)
    assert crm.calls == {"read": 2}


def test_an_id_that_no_record_can_have_keeps_no_other_record_from_being_read(
    crm: SalesforceCrm, org: SalesforceOrg
) -> None:
    (kept,) = alive(org)[:1]

    assert [record.id for record in crm.fetch("Contact", ["0035i00000ZZZZZAAQ", kept])] == [kept]


def test_fetch_follows_merges_to_their_end(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    first, second, third, deleted, plain = alive(org)[:5]
    org.merge(second, [first])
    org.merge(third, [second])
    org.delete("Contact", deleted)

    found = crm.fetch("Contact", [first, second, deleted, plain, plain, "003000000000000AAA"])

    assert Counter(record.id for record in found) == {third: 1, plain: 1}
