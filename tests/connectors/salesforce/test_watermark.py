"""How far a read goes, what holds its cursor back, and what comes with the next one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.cursor import OVERLAP
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from .reads import alive, end, ids, settle, window

Connect = Callable[..., SalesforceCrm]


def test_an_interrupted_full_read_keeps_the_watermark_of_its_first_page(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    org.page_size = 10
    sandbox.clock.advance(600)

    first = next(iter(connect().open_feed({}).changed()))

    assert first.cursor is not None

    edited = first.records[0].id
    sandbox.clock.advance(3_600)
    org.update_as_user("Contact", edited, Title="boss")
    sandbox.clock.advance(3_600)

    rest = connect().open_feed({"Contact": first.cursor})

    assert rest.is_full("Contact")

    pages = list(rest.changed())

    assert edited not in ids(pages)
    assert Counter(ids([first, *pages])) == Counter(alive(org))
    assert edited in ids(window(connect, end(pages)).changed())


def test_an_interrupted_window_goes_on_where_it_stopped(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    wanted = alive(org)[:30]
    for one in wanted:
        org.update_as_user("Contact", one, Title="boss")
        sandbox.clock.advance(1)

    sandbox.clock.advance(OVERLAP.total_seconds() + 120)
    org.page_size = 8

    first = next(iter(window(connect, cursor).changed()))

    assert first.cursor is not None

    rest = list(window(connect, first.cursor).changed())

    assert Counter(ids([first, *rest])) == Counter(wanted)


def test_a_page_that_may_still_get_late_rows_moves_no_cursor(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    for one in alive(org)[:20]:
        org.update_as_user("Contact", one, Title="boss")

    settle(sandbox)
    org.page_size = 8

    pages = list(window(connect, cursor).changed())

    assert [json.loads(str(page.cursor)) == json.loads(cursor) for page in pages] == [True, True, False]


def test_a_row_of_a_long_transaction_comes_with_the_window_after_its_commit(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    one = alive(org)[0]
    transaction = org.open_transaction()
    transaction.update("Contact", one, Phone="+14155550123")
    sandbox.clock.advance(7_200)

    pages = list(window(connect, cursor).changed())

    assert one not in ids(pages)

    transaction.commit()
    sandbox.clock.advance(7_200)

    assert one in ids(window(connect, end(pages)).changed())


def test_a_watermark_never_goes_back(connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str) -> None:
    org.open_transaction(started=sandbox.clock.now() - timedelta(hours=5))

    pages = list(window(connect, cursor).changed())

    assert json.loads(end(pages))["since"] == json.loads(cursor)["since"]


def test_a_row_that_turns_up_late_is_caught_by_the_overlap(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    pages = list(window(connect, cursor).changed())
    covered = datetime.fromisoformat(json.loads(end(pages))["since"])
    late = org.open_transaction(started=covered - OVERLAP + timedelta(seconds=1))
    late.update("Contact", alive(org)[0], Phone="+14155550123")
    late.commit()
    settle(sandbox)

    assert ids(window(connect, end(pages)).changed()) == [alive(org)[0]]


def test_changes_by_the_platform_itself_are_read(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    org.touch("Contact", alive(org)[3])
    settle(sandbox)

    assert ids(window(connect, cursor).changed()) == [alive(org)[3]]


@pytest.mark.parametrize("years", [-3, 3])
def test_a_wrong_clock_of_ours_moves_no_window(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, clock: object, cursor: str, years: int
) -> None:
    org.update_as_user("Contact", alive(org)[0], Title="boss")
    settle(sandbox)
    clock.time = sandbox.clock.now() + timedelta(days=365 * years)  # type: ignore[attr-defined]  # the clock to set

    pages = list(connect(clock=clock).open_feed({"Contact": cursor}).changed())

    assert ids(pages) == [alive(org)[0]]

    since = datetime.fromisoformat(json.loads(end(pages))["since"])

    assert timedelta(0) <= sandbox.clock.now() - since < timedelta(minutes=2)
