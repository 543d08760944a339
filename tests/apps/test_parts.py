"""A sync in partitions through the doors: what is refused, what waits in the queue, and what a worker is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from ringfence.apps.operations.kept_connections import KeptConnections
from ringfence.apps.operations.parts import SYNC_PART, QueuedParts, work_at_part
from ringfence.apps.wiring import Wiring, wire
from ringfence.core.clock import SystemClock
from ringfence.core.model.caps import Caps, caps_from_json, caps_to_json
from ringfence.core.model.shape_codec import shapes_to_json
from ringfence.core.ports.jobs import JobEngine, JobState
from ringfence.core.runs.options import SyncOptions
from ringfence.core.state.cursors import register_org
from ringfence.core.state.journal import Journal
from ringfence.core.state.leases import take_lease, this_process
from ringfence.core.state.run_parts import NewPart, PartState, Phase, RunPart, add_parts, find_part
from ringfence.core.state.store import Store

from .conftest import Cli

RUN = "20261130-120000-00000000"


@pytest.fixture
def wiring(settings: dict[str, str], cli: Cli) -> Wiring:
    """Give the wiring of a folder with a sandbox account."""
    return wire()


@pytest.fixture
def store(wiring: Wiring) -> Iterator[Store]:
    """Give the state of that folder."""
    with closing(wiring.open_state()) as opened:
        yield opened


@pytest.fixture
def engine(wiring: Wiring, store: Store) -> JobEngine:
    """Give the jobs of that state."""
    return wiring.open_jobs(store)


def begin(wiring: Wiring, store: Store, parts: int = 1, **told: Any) -> None:
    """Begin a run on the HubSpot account whose parts wait, with other instructions where they are given."""
    connection = wiring.connect("hubspot")
    with closing(connection.crm) as crm:
        org, now = crm.identify(), wiring.clock.now()
    org_id = register_org(store, org)
    take_lease(store, org_id, RUN, now, this_process())
    Journal(store, RUN).begin("hubspot", org_id, now, dry_run=False, options=SyncOptions(partitions=1).to_json())

    instructions = {
        "org": org.key,
        "shapes": shapes_to_json(connection.shapes),
        "policy": {"max_age_days": 30.0},
        "providers": [],
        "caps": caps_to_json(Caps()),
        "withhold": False,
        **told,
    }
    add_parts(
        store, RUN, 1, [NewPart("contacts", Phase.CHANGED, each, instructions) for each in crm_ranges(wiring, parts)]
    )


def crm_ranges(wiring: Wiring, parts: int) -> list[str]:
    with closing(wiring.connect("hubspot").crm) as crm:
        crm.check()
        ranges: list[str] = crm.split("contacts", parts)  # type: ignore[attr-defined]  # a Crm that is Splittable too
        return ranges


def work(wiring: Wiring, part: int = 1, kept: KeptConnections | None = None) -> str | None:
    return work_at_part(
        wiring,
        "hubspot",
        RUN,
        part,
        kept=kept or KeptConnections(),
        must_end=lambda: False,
        report=lambda _progress: None,
    )


def part_of(store: Store, part: int = 1) -> RunPart:
    found = find_part(store, RUN, part)
    assert found is not None
    return found


def test_a_worker_does_a_part_once(wiring: Wiring, store: Store) -> None:
    begin(wiring, store)

    assert work(wiring) is None

    assert part_of(store).state is PartState.DONE
    counts = part_of(store).counts or {}
    assert counts["objects"]["contacts"]["written"] > 100
    assert "Nothing was left to do" in str(work(wiring))
    assert "Nothing was left to do" in str(work(wiring, part=7))


def test_a_worker_connects_once_for_all_parts_of_a_run(
    wiring: Wiring, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(wiring, store, parts=3)
    made, connect = [], Wiring.connect
    monkeypatch.setattr(Wiring, "connect", lambda *words, **more: made.append(connect(*words, **more)) or made[-1])

    with closing(KeptConnections()) as kept:
        for part in (1, 2, 3):
            assert work(wiring, part, kept) is None

    assert len(made) == 1
    calls = [(part_of(store, part).counts or {})["calls"] for part in (1, 2, 3)]
    assert sum(map(Counter, calls), Counter()) == Counter(made[0].crm.calls)
    assert "login" in calls[0]
    assert not any("login" in each for each in calls[1:])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"providers": ["twilio"]}, "other lookup providers"),
        ({"org": "hubspot:1"}, "is hubspot:"),
    ],
)
def test_a_worker_that_would_do_it_otherwise_ends_the_part(
    wiring: Wiring, store: Store, told: dict[str, Any], said: str
) -> None:
    begin(wiring, store, **told)

    work(wiring)

    part = part_of(store)
    assert (part.state, part.holder) == (PartState.FAILED, None)
    assert said in (part.error or {})["message"]
    assert this_process().host in (part.error or {})["message"]
    assert (part.error or {})["remedy"]


def test_parts_are_jobs_of_the_account_and_are_taken_back_where_nobody_has_begun(engine: JobEngine) -> None:
    queued = QueuedParts(engine, "hubspot", SystemClock().monotonic)

    queued.announce(RUN, [1, 2])
    queued.announce(RUN, [2, 3])

    jobs = engine.list()
    assert [(job.kind, job.queue, job.arguments["part"]) for job in reversed(jobs)] == [
        (SYNC_PART, "hubspot", part) for part in (1, 2, 3)
    ]
    assert not queued.are_there()

    queued.recall()

    assert {job.state for job in engine.list()} == {JobState.CANCELLED}


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("other", [("--limit", "3"), ("--dry-run",), ("--apply", "plan.json")])
def test_what_does_not_go_with_partitions_is_refused_at_once(cli: Cli, other: tuple[str, ...]) -> None:
    refused = cli("sync", "hubspot", "--partitions", "2", *other, "--json")

    assert refused.code == 2
    assert refused.document["remedy"]


def test_caps_reach_another_process_as_they_were() -> None:
    caps = Caps(max_lookups=5, max_per_day=None, max_cost_per_run=Decimal("0.30"), currency="EUR")

    assert caps_from_json(caps_to_json(caps)) == caps
