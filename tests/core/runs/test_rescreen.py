"""A rescreen that was stopped: the next plain syncs bring it to its end, and nothing is paid twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.caps import Caps
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import open_store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Provider, Sync

PEOPLE = 25


@pytest.fixture
def provider(make_provider: MakeProvider) -> Provider:
    return make_provider()


@pytest.fixture
def fresh(crm: MemoryCrm, sync: Sync) -> MemoryCrm:
    """People who were screened by the numbering plan, before there was a provider."""
    for i in range(PEOPLE):
        crm.put("people", f"p{i:02}", phone=f"+1 415 555 {1000 + i}")
    sync()
    return crm


def active(crm: MemoryCrm) -> int:
    return sum(row.get("rf_phone_status") == "active" for row in crm.rows["people"].values())


def go_on(sync: Sync, provider: Provider, budget: int) -> list[Summary]:
    """Sync plainly until nothing is left, and return what each run did."""
    runs = []
    while not runs or not runs[-1].complete:
        runs.append(sync(lookups=[provider], max_lookups=budget))
        assert len(runs) < 20
    return runs


@pytest.mark.parametrize("budget", [3, 4, 10])
def test_a_rescreen_that_meets_its_budget_goes_on_in_the_next_plain_sync(
    fresh: MemoryCrm, sync: Sync, provider: Provider, budget: int
) -> None:
    first = sync(rescreen=True, lookups=[provider], max_lookups=budget)
    assert not first.complete

    runs = go_on(sync, provider, budget)

    assert active(fresh) == PEOPLE
    assert Counter(provider.asked) == dict.fromkeys(provider.asked, 1)
    assert all(run.lookups <= budget for run in runs)


def test_a_finished_rescreen_is_over(fresh: MemoryCrm, sync: Sync, provider: Provider, clock: SetClock) -> None:
    sync(rescreen=True, lookups=[provider], max_lookups=4)
    go_on(sync, provider, 10)
    clock.advance(days=1)
    fresh.put("people", "p00", optout=False)

    after = sync(lookups=[provider])

    assert (after.total("written"), after.due_reasons) == (0, {})


def test_a_plain_sync_rescreens_nothing_of_its_own(fresh: MemoryCrm, sync: Sync, provider: Provider) -> None:
    assert sync(lookups=[provider], full=True).total("due") == 0
    assert provider.asked == []


def test_what_the_stopped_rescreen_has_done_is_not_done_again(fresh: MemoryCrm, sync: Sync, provider: Provider) -> None:
    sync(rescreen=True, lookups=[provider], max_lookups=10)
    done = active(fresh)
    assert done == 10

    last = sync(lookups=[provider])

    assert (last.complete, last.total("written"), last.due_reasons["rescreen"]) == (True, PEOPLE - done, PEOPLE - done)


def test_a_provider_that_is_new_tells_what_it_could_look_up_and_only_once(
    fresh: MemoryCrm, sync: Sync, provider: Provider
) -> None:
    fresh.put("people", "p99", phone="n/a")
    sync()

    first, second = sync(lookups=[provider]), sync(lookups=[provider])

    assert (first.fresh_without_lookup, second.fresh_without_lookup) == (PEOPLE, 0)
    assert sync(lookups=[provider], full=True).fresh_without_lookup == PEOPLE
    assert sync(lookups=[provider], rescreen=True).fresh_without_lookup == 0
    assert sync(lookups=[provider], full=True).fresh_without_lookup == 0


def test_a_store_that_is_new_to_a_screened_account_says_that_somebody_else_may_pay_too(
    fresh: MemoryCrm, sync: Sync, provider: Provider, tmp_path: Path, clock: SetClock
) -> None:
    other = open_store(f"sqlite:///{tmp_path}/other.db")
    job = SyncJob(
        fresh, fresh.identify(), fresh.shapes, other, Policy(), clock, lookups=[provider], caps=Caps(max_lookups=100)
    )

    first, second = run_sync(job, SyncOptions()), run_sync(job, SyncOptions(full=True))
    other.close()

    assert (first.screened_elsewhere, second.screened_elsewhere) == (PEOPLE, 0)
    assert sync(lookups=[provider], full=True).screened_elsewhere == 0
