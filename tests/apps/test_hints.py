"""What a run says that had nothing to do, and how counts are called in a run and in a dry run."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ringfence.apps.cli.output import Output
from ringfence.apps.cli.phrases import name_day
from ringfence.apps.cli.render import show_summary
from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.memory_runs import make_crm

MAPPING = "crm: memory\nobjects: {people: {phones: {phone: {}}, opt_out: {field: optout}, region: {field: country}}}\n"
Sync = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    return make_crm(clock, MAPPING)


@pytest.fixture
def sync(crm: MemoryCrm, store: Store, clock: SetClock) -> Sync:
    """Sync, and return what a person reads."""

    def run(**options: Any) -> str:
        clock.advance(seconds=10)
        job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock)
        return shown(run_sync(job, SyncOptions(**options)))

    return run


def shown(summary: Summary) -> str:
    output, out = Output(), io.StringIO()
    output.out = Console(file=out, width=200, soft_wrap=True)
    show_summary(output, summary)
    return out.getvalue()


def test_fresh_records_are_named_with_the_day_on_which_the_first_comes_of_age(
    crm: MemoryCrm, sync: Sync, clock: SetClock
) -> None:
    crm.put("people", "early", phone="+1 415 555 0132")
    sync()
    of_age = clock.time + Policy().max_age
    clock.advance(days=3)
    crm.put("people", "late", phone="+1 415 555 0133")
    sync()

    printed = sync(full=True)

    assert f"0 due: 2 records are fresh until {name_day(of_age)}, when the first verdict comes of age." in printed


def test_a_quiet_run_says_since_when_nothing_changed(crm: MemoryCrm, sync: Sync, clock: SetClock) -> None:
    crm.put("people", "one", phone="+1 415 555 0132")
    sync()
    clock.advance(hours=1)
    sync()
    before = clock.time
    clock.advance(hours=1)

    assert f"0 due: nothing changed since {before.day} {before:%B %Y, %H:%M} UTC, and no verdict" in sync()


def test_an_empty_account_says_so(sync: Sync) -> None:
    assert "0 due: the account holds no people that its user may see." in sync()


def test_an_account_without_numbers_says_so(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "empty", phone="")

    assert "0 due: the phone fields of all records are empty." in sync()


def test_a_filter_that_leaves_everything_out_is_named(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "one", phone="+1 415 555 0132")
    crm.in_scope = lambda _object, _row: False

    assert "0 due: all records are outside the mapping's `filter`." in sync()


def test_national_numbers_of_an_unknown_country_say_how_to_name_one(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "one", phone="020 7946 0018")

    printed = sync()

    assert "1 slot with a national number of an unknown country: `unknown`." in printed
    assert "RINGFENCE_DEFAULT_REGION=US" in printed


def test_a_dry_run_calls_its_counts_what_would_be(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "source", phone="+1 415 555 0132", optout=True)
    crm.put("people", "sharer", phone="+1 415 555 0132")

    rehearsed, real = sync(dry_run=True), sync()

    for would_be, done in [
        ("records that would be written", "records written"),
        ("slots that would be silenced", "slots silenced for an opt-out"),
        ("opt-out flags that would go up", "opt-out flags raised"),
    ]:
        assert would_be in rehearsed
        assert done not in rehearsed
        assert done in real
        assert would_be not in real
