"""What a run shows on a terminal: why a slot is written again, what was and what would be called."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ringfence.apps.cli.output import Output
from ringfence.apps.cli.render import show_summary
from ringfence.connectors.memory import MemoryCrm, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.run_history import find_run
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock

MAPPING = "crm: memory\nobjects: {people: {phones: {phone: {}}, region: {default: US}}}\n"
Sync = Callable[..., Summary]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    return MemoryCrm(resolve(parse_mapping(MAPPING, "test"), companion_name), clock)


@pytest.fixture
def sync(crm: MemoryCrm, store: Store, clock: SetClock) -> Sync:
    def run(**options: Any) -> Summary:
        clock.advance(seconds=10)
        crm.calls.clear()
        return run_sync(SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), SyncOptions(**options))

    return run


def shown(summary: Summary) -> str:
    output, out = Output(), io.StringIO()
    output.out = Console(file=out, width=80, soft_wrap=True)
    show_summary(output, summary)
    return out.getvalue()


def test_a_slot_that_is_only_checked_again_says_so(crm: MemoryCrm, sync: Sync, clock: SetClock) -> None:
    crm.put("people", "aged", phone="+1 415 555 0132")
    assert "allocated" in shown(sync())

    clock.advance(days=31)
    printed = shown(sync())
    assert "same" in printed
    assert "checked again" in printed

    crm.put("people", "aged", phone="+1 415 555 0133")
    assert "another content" in shown(sync())


def test_a_dry_run_counts_the_calls_it_makes_and_names_those_it_would_make(crm: MemoryCrm, sync: Sync) -> None:
    for i in range(9):
        crm.put("people", f"p{i}", phone=f"+1 415 555 010{i}")
    rehearsal = sync(dry_run=True)
    assert (rehearsal.fewest_api_calls, rehearsal.write_calls_planned) == (3, 3)

    printed = shown(rehearsal)
    assert "API calls: 3 to read, the fewest possible are 3;" in printed
    assert "A real run would make 3 more at least, to write." in printed

    real = sync()
    assert (real.fewest_api_calls, real.write_calls_planned) == (6, 0)
    assert "API calls: 6 to read and write, the fewest possible are 6;" in shown(real)


def test_neither_the_screen_nor_the_history_holds_a_number_in_any_spelling(
    crm: MemoryCrm, sync: Sync, store: Store
) -> None:
    spelled = ["800-FLOWERS", "1-800-FLOWERS", "(415) 555-0132", "415.555.0132 x12", "4155550132", "555-0132", "911"]
    for i, content in enumerate(spelled):
        crm.put("people", f"p{i}", phone=content)
    summary = sync()
    assert len(summary.changes_shown) == len(spelled)

    kept = str(find_run(store, summary.run_id).summary) + shown(summary)
    assert not [content for content in spelled[:-1] if content in kept]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("2025550143.0", "allocated (dropped a spreadsheet .0)"),
        ("+1 415 555 0132", "allocated"),
        ("+44 (0)20 7946 0018", "allocated (dropped (0))"),
        ("+1 415 555 0132 / +44 (0)20 7946 0018", "allocated (1 other number in the field)"),
    ],
)
def test_a_reason_is_shown_by_its_code_and_its_repairs(crm: MemoryCrm, sync: Sync, content: str, why: str) -> None:
    crm.put("people", "p1", phone=content)
    summary = sync()
    output, out = Output(), io.StringIO()
    output.out = Console(file=out, width=200, soft_wrap=True)
    show_summary(output, summary)
    (row,) = [line for line in out.getvalue().splitlines() if line.startswith("people p1")]

    assert row.rstrip().endswith(f"  {why}")
