"""How PostgreSQL finds what a run asks for after a large first sync: by its indexes, with statistics that are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import Store
from testkit.clock import SetClock

MANY, A_PAGE = 30_000, 20
PAGES_A_ROW = 10
"""Of the index and the table, for each row that is looked up: far fewer than all of the index."""

pytestmark = pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)


@contextmanager
def reads(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Collect the reads of the store within the block, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


def test_a_page_of_the_next_run_is_looked_up_and_not_searched_for(store: Store, clock: SetClock) -> None:
    org_id = register_org(store, Org("memory", "1", "One", production=False))
    held = [Holding("people", f"p{i:05}", (f"+1415{i:07}",), flagged=False) for i in range(MANY)]
    OptOutLedger(store, org_id, "r1", clock).record(held)

    page = [Holding(*each[:2], (f"+1212{i:07}",), flagged=True) for i, each in enumerate(held[:A_PAGE])]
    with reads(store) as asked:
        OptOutLedger(store, org_id, "r2", clock).record(page)

    searches = [(text, parameters) for text, parameters in asked if "FROM holdings" in text]
    with store.transaction() as connection:
        pages = connection.exec_driver_sql("SELECT pg_relation_size('holdings') / 8192").scalar_one()
        looked_at = {text: _pages_looked_at(connection, text, parameters) for text, parameters in searches}
    assert looked_at
    assert max(looked_at.values()) < A_PAGE * PAGES_A_ROW < pages


def _pages_looked_at(connection: Connection, statement: str, parameters: Any) -> int:
    explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
    plan = explained.scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
