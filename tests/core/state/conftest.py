"""The opt-out ledger of an org over a real store, and what waits because of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.core.ports.crm import Org
from ringfence.core.ports.services import Clock
from ringfence.core.state.cursors import register_org
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.pending import Pending, PendingReason
from ringfence.core.state.store import Store


@pytest.fixture
def open_ledger(store: Store, clock: Clock) -> Callable[..., OptOutLedger]:
    """Give the ledger of an org as one run sees it; unless told, each org is on a suppression ledger of its own."""

    def open_(run_id: str = "first", org: str = "1", on: str | None = None) -> OptOutLedger:
        org_id = register_org(store, Org("memory", org, "Org", production=False), f"of {org}" if on is None else on)
        return OptOutLedger(store, org_id, run_id, clock)

    return open_


@pytest.fixture
def waiting(store: Store) -> Callable[..., list[str]]:
    """Tell which records wait because of an opt-out, and forget them."""

    def take(org: str = "1") -> list[str]:
        pending = Pending(store, register_org(store, Org("memory", org, "Org", production=False)), "test")
        rows = pending.next(("", ""), 10_000, PendingReason.PERMISSION)
        pending.remove([(row.object, row.record_id) for row in rows])
        return [row.record_id for row in rows]

    return take
