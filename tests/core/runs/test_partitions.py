"""A sync in partitions comes to the same end state as a plain one, and its figures add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.decisions import mass_change
from ringfence.core.errors import UsageError
from ringfence.core.model.caps import Caps
from ringfence.core.model.policy import Policy
from ringfence.core.runs import partitioned
from ringfence.core.runs.mode import Sharing
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.runs.undo import undo_run
from ringfence.core.state import schema
from ringfence.core.state.run_history import find_run, list_runs
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.divided import Divided, figures, people, plain, verdicts
from testkit.memory_runs import MakeProvider
from testkit.part_workers import Threads


@pytest.mark.parametrize("parts", [1, 3, 50])
def test_without_workers_the_result_is_that_of_a_plain_sync(
    divided: Divided, crm: MemoryCrm, clock: SetClock, tmp_path: Path, parts: int
) -> None:
    people(crm)
    twin, expected = plain(clock, tmp_path)

    summary = divided(parts)

    assert verdicts(crm) == verdicts(twin)
    assert figures(summary) == figures(expected)
    assert divided(parts).total("written") == 0


def test_with_workers_the_result_is_that_of_a_plain_sync(
    divided: Divided, crm: MemoryCrm, clock: SetClock, tmp_path: Path
) -> None:
    people(crm)
    twin, expected = plain(clock, tmp_path)

    summary = divided(4, Threads)

    assert verdicts(crm) == verdicts(twin)
    assert figures(summary) == figures(expected)


def test_lookups_that_workers_may_not_buy_are_bought_by_the_run(
    divided: Divided, crm: MemoryCrm, clock: SetClock, make_provider: MakeProvider, tmp_path: Path
) -> None:
    people(crm)
    twin, expected = plain(clock, tmp_path, lookups=[make_provider()])
    provider = make_provider()

    summary = divided(4, Threads, lookups=[provider])

    assert verdicts(crm) == verdicts(twin)
    assert figures(summary) == figures(expected)
    assert len(provider.asked) == len(set(provider.asked)) == summary.lookups > 20


def test_a_run_is_one_in_the_history_and_is_taken_back_as_one(
    divided: Divided, crm: MemoryCrm, store: Store, clock: SetClock
) -> None:
    people(crm)
    for row in crm.rows["people"].values():
        row["optout"] = False
    before = {id_: dict(row) for id_, row in crm.rows["people"].items()}

    summary = divided(4, Threads)
    undone = undo_run(
        SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock), find_run(store, summary.run_id), dry_run=False
    )

    assert [run.id for run in list_runs(store)] == [undone.run_id, summary.run_id]
    assert undone.records == summary.total("written") > 30
    after = {id_: {name: row[name] for name in before[id_]} for id_, row in crm.rows["people"].items()}
    assert after == before
    assert all(value is None for row in crm.rows["people"].values() for name, value in row.items() if "rf_" in name)


def test_refused_rows_and_conflicts_are_those_of_the_run(
    divided: Divided, crm: MemoryCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(crm)
    crm.refuse = lambda change: ("RULE", "frozen") if change.id in ("p001", "p025") else None
    write_one = MemoryCrm.write_one

    def write(self: MemoryCrm, change: Any) -> Any:
        if change.id == "p012":
            self.rows["people"].pop("p012", None)
        return write_one(self, change)

    monkeypatch.setattr(MemoryCrm, "write_one", write)

    document = divided(4, Threads).to_json()

    assert document["exit_code"] == 1
    assert (document["refused_total"], document["conflicts_total"]) == (2, 1)
    assert {row["id"] for row in document["refused"]} == {"p001", "p025"}
    assert {row["id"] for row in document["conflicts"]} == {"p012"}


def test_an_opt_out_that_goes_up_while_parts_are_read_is_enforced_in_the_run(divided: Divided, crm: MemoryCrm) -> None:
    people(crm)
    seen: list[str] = []

    def write(change: Any) -> tuple[str, str] | None:
        if not seen:
            crm.put("people", "p039", optout=True)  # holds the number of p009, which is in another part
        seen.append(change.id)
        return None

    crm.refuse = write

    divided(4)

    assert crm.rows["people"]["p009"]["rf_mobile_status"] == "do_not_contact"


def test_the_parts_of_a_run_are_forgotten_with_the_next_run(divided: Divided, crm: MemoryCrm, store: Store) -> None:
    people(crm)
    divided(4)
    divided(4)

    with store.transaction() as connection:
        left = connection.scalars(select(schema.run_parts.c.run_id).distinct()).all()
    assert left == []


def test_records_that_are_due_by_age_are_divided_where_they_are_many(
    divided: Divided, crm: MemoryCrm, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitioned, "DUE_WORTH", 10)
    people(crm)
    divided()
    divided()  # reads back what the first one wrote
    clock.advance(days=40)
    made: list[Threads] = []

    def workers(job: SyncJob) -> Threads:
        made.append(Threads(job))
        return made[0]

    summary = divided(3, workers)

    assert len(made[0].threads) >= 3
    assert summary.complete
    assert summary.to_json()["due_reasons"].keys() == {"aged"}
    assert summary.total("read") == 40
    assert summary.total("written") == summary.total("due") > 30
    assert divided(3, Threads).total("due") == 0


@pytest.mark.parametrize(("caps", "parts"), [(Caps(max_per_day=1000), 3), (Caps(max_lookups=1000), 0)])
def test_lookups_that_are_due_are_divided_among_workers_that_may_buy(
    divided: Divided,
    crm: MemoryCrm,
    clock: SetClock,
    make_provider: MakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    caps: Caps,
    parts: int,
) -> None:
    monkeypatch.setattr(partitioned, "DUE_WORTH", 10)
    people(crm)
    provider, made = make_provider(), []
    divided(lookups=[provider])
    divided(lookups=[provider])  # reads back what the first one wrote
    bought = Counter(provider.asked)
    clock.advance(days=40)

    def workers(job: SyncJob) -> Threads:
        made.append(Threads(job, mode=Sharing()))
        return made[0]

    summary = divided(3, workers, lookups=[provider], caps=caps)

    assert len(made[0].threads) == parts
    assert summary.complete
    assert summary.total("written") > 30
    assert Counter(provider.asked) == Counter(dict.fromkeys(bought, 2))


@pytest.mark.parametrize(("least", "parts"), [(1, 4), (15, 2), (41, 1)])
def test_few_records_are_not_worth_a_part(
    divided: Divided, crm: MemoryCrm, monkeypatch: pytest.MonkeyPatch, least: int, parts: int
) -> None:
    people(crm)
    monkeypatch.setattr(crm, "capabilities", replace(crm.capabilities, worth_a_part=least))
    made: list[Threads] = []

    def workers(job: SyncJob) -> Threads:
        made.append(Threads(job))
        return made[0]

    summary = divided(4, workers)

    assert len(made[0].threads) == parts
    assert summary.total("read") == 40


def test_a_guard_in_one_part_holds_all_of_them_back_from_all_but_silence(
    divided: Divided, crm: MemoryCrm, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(crm)
    divided()
    monkeypatch.setattr(mass_change, "SMALLEST_SAMPLE", 2)
    for i in range(10):
        crm.put("people", f"p{i:03}", mobile="12")
    crm.put("people", "p024", optout=True)

    summary = divided(4, Threads, {"full": True})

    assert summary.to_json()["exit_code"] == 4
    assert "would become invalid" in summary.to_json()["message"]
    assert not any(crm.rows["people"][f"p{i:03}"]["rf_mobile_status"] == "invalid" for i in range(10))
    assert crm.rows["people"]["p024"]["rf_mobile_status"] == "do_not_contact"
    with store.transaction() as connection:
        assert set(connection.scalars(select(schema.run_parts.c.silent))) == {True}
    assert divided(4, None, {"accept_mass_change": True, "full": True}).complete


@pytest.mark.parametrize("words", [{"limit": 3}, {"dry_run": True}, {"partitions": 0}, {"partitions": 201}])
@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_what_does_not_go_with_partitions_is_refused(
    crm: MemoryCrm, store: Store, clock: SetClock, words: dict[str, Any]
) -> None:
    job = SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock)

    with pytest.raises(UsageError) as refused:
        run_sync(job, SyncOptions(**{"partitions": 2, **words}))

    assert refused.value.remedy
