"""What the tests of reads share: the records, ids and cursors of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Feed, Page
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]


def records(pages: Iterable[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def ids(pages: Iterable[Page]) -> list[str]:
    return [record.id for record in records(pages)]


def alive(org: SalesforceOrg, object_name: str = "Contact") -> list[str]:
    rows = org.rows(object_name)
    return sorted(one for one, row in rows.items() if not row["IsDeleted"] and not row.get("IsConverted"))


def end(pages: Iterable[Page], object_name: str = "Contact") -> str:
    return [page.cursor for page in pages if page.object == object_name and page.cursor][-1]


def settle(sandbox: Sandbox) -> None:
    """Let the minute pass that the watermark waits for."""
    sandbox.clock.advance(61)


def window(connect: Connect, cursor: str, **options: str) -> Feed:
    feed = connect(**options).open_feed({"Contact": cursor})
    assert not feed.is_full("Contact")
    return feed
