"""Taking a run back, and applying a plan file, over the in-memory CRM."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm, companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.errors import FileError, UsageError
from ringfence.core.model.policy import Policy
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.runs.apply_plan import apply_plan
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.runs.undo import CHANGED_SINCE, OPT_OUT, UndoSummary, undo_run
from ringfence.core.state.journal import read_changes
from ringfence.core.state.run_history import find_run, list_runs
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock

MAPPING = """
crm: memory
objects:
  people:
    phones: {phone: {}, mobile: {normalize: true}}
    opt_out: {field: optout}
    region: {default: US}
"""
GOOD = "+1 415 555 0132"
OTHER = "+44 20 7946 0018"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def crm(clock: SetClock) -> MemoryCrm:
    return MemoryCrm(resolve(parse_mapping(MAPPING, "test"), companion_name), clock)


@pytest.fixture
def job(crm: MemoryCrm, store: Store, clock: SetClock) -> SyncJob:
    return SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), clock)


def sync(job: SyncJob, clock: SetClock, **options: Any) -> Summary:
    clock.advance(seconds=10)
    return run_sync(job, SyncOptions(**options))


def undo(job: SyncJob, clock: SetClock, run_id: str, *, dry_run: bool = False) -> UndoSummary:
    clock.advance(seconds=10)
    return undo_run(job, find_run(job.store, run_id), dry_run=dry_run)


def snapshot(crm: MemoryCrm) -> dict[str, dict[str, Any]]:
    """Return every record without the fields that are empty."""
    return {id_: {k: v for k, v in row.items() if v is not None} for id_, row in crm.rows["people"].items()}


def test_undo_restores_everything_nobody_touched(crm: MemoryCrm, job: SyncJob, clock: SetClock) -> None:
    for i in range(10):
        crm.put("people", f"p{i}", phone=GOOD if i % 2 else "n/a", mobile="(415) 555-0133")
    before = snapshot(crm)
    run = sync(job, clock)

    assert crm.rows["people"]["p1"]["mobile"] == "+14155550133"

    after = snapshot(crm)
    assert undo(job, clock, run.run_id, dry_run=True).records == 10
    assert snapshot(crm) == after

    undone = undo(job, clock, run.run_id)
    assert snapshot(crm) == before
    assert (undone.records, dict(undone.kept)) == (10, {})
    assert find_run(job.store, undone.run_id).options == {"undo": run.run_id}


def test_undo_leaves_what_somebody_changed_since(crm: MemoryCrm, job: SyncJob, clock: SetClock) -> None:
    crm.put("people", "p1", phone=GOOD)
    crm.put("people", "p2", mobile="(415) 555-0133")
    run = sync(job, clock)
    crm.put("people", "p1", rf_phone_reason="a person wrote this")
    crm.put("people", "p2", mobile=OTHER)
    undone = undo(job, clock, run.run_id)

    assert crm.rows["people"]["p1"]["rf_phone_reason"] == "a person wrote this"
    assert crm.rows["people"]["p1"]["rf_phone_status"] is None
    assert crm.rows["people"]["p2"]["mobile"] == OTHER
    assert undone.kept == {CHANGED_SINCE: 2}


def test_undo_never_loosens_an_opt_out(crm: MemoryCrm, job: SyncJob, clock: SetClock) -> None:
    crm.put("people", "p1", phone=GOOD)
    crm.put("people", "p2", phone=GOOD)
    sync(job, clock)
    crm.put("people", "p1", optout=True)
    run = sync(job, clock)

    assert crm.rows["people"]["p2"]["optout"] is True

    undone = undo(job, clock, run.run_id)
    for id_ in ("p1", "p2"):
        assert crm.rows["people"][id_]["optout"] is True
        assert crm.rows["people"][id_]["rf_phone_status"] == "do_not_contact"

    assert undone.fields == 0
    assert set(undone.kept) == {OPT_OUT}


def test_undo_restores_rewritten_phone_fields_also_under_a_mapping_that_leaves_them(
    crm: MemoryCrm, job: SyncJob, clock: SetClock
) -> None:
    crm.put("people", "p1", mobile="(415) 555-0133")
    run = sync(job, clock)
    assert crm.rows["people"]["p1"]["mobile"] == "+14155550133"
    plain = resolve(parse_mapping(MAPPING.replace("{normalize: true}", "{}"), "test"), companion_name)

    undone = undo(replace(job, shapes=plain), clock, run.run_id)

    assert crm.rows["people"]["p1"]["mobile"] == "(415) 555-0133"
    assert dict(undone.kept) == {}


@pytest.mark.parametrize("asks", ["p1", "p2"])
def test_undo_takes_in_opt_outs_that_no_sync_has_seen_yet(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, asks: str
) -> None:
    crm.put("people", "p1", phone=GOOD, mobile=OTHER)
    crm.put("people", "p2", phone=GOOD)
    sync(job, clock)
    for id_ in ("p1", "p2"):
        crm.put("people", id_, rf_phone_status="unknown", rf_phone_screened_value="+1 415 555 0199")
    run = sync(job, clock)
    clock.advance(seconds=10)
    crm.put("people", asks, optout=True)

    undone = undo(job, clock, run.run_id)

    assert {crm.rows["people"][id_]["rf_phone_status"] for id_ in ("p1", "p2")} == {"valid"}
    assert set(undone.kept) == {OPT_OUT}
    sync(job, clock)
    assert {crm.rows["people"][id_]["rf_phone_status"] for id_ in ("p1", "p2")} == {"do_not_contact"}


def test_undo_sets_a_moment_back_with_its_fraction_of_a_second(crm: MemoryCrm, job: SyncJob, clock: SetClock) -> None:
    exact = clock.now().replace(microsecond=123_000) - timedelta(days=40)
    crm.put("people", "p1", phone=GOOD, rf_phone_last_screened=exact)
    run = sync(job, clock)
    assert crm.rows["people"]["p1"]["rf_phone_last_screened"] != exact

    undo(job, clock, run.run_id)

    assert crm.rows["people"]["p1"]["rf_phone_last_screened"] == exact


def test_undo_leaves_a_slot_that_a_later_run_silenced(crm: MemoryCrm, job: SyncJob, clock: SetClock) -> None:
    crm.put("people", "p1", phone=GOOD)
    crm.put("people", "p2", phone=GOOD, mobile="(415) 555-0133")
    run = sync(job, clock)
    crm.put("people", "p1", optout=True)
    sync(job, clock)
    silenced = snapshot(crm)
    undone = undo(job, clock, run.run_id)

    assert snapshot(crm) == silenced
    assert silenced["p2"]["rf_mobile_status"] == "do_not_contact"
    assert set(undone.kept) == {OPT_OUT}


def test_undo_of_a_dry_run_or_another_org_is_refused(crm: MemoryCrm, job: SyncJob, clock: SetClock) -> None:
    crm.put("people", "p1", phone=GOOD)
    rehearsal = sync(job, clock, dry_run=True)

    with pytest.raises(UsageError, match="dry run"):
        undo(job, clock, rehearsal.run_id)

    run = sync(job, clock)
    crm.org_id = "mem-2"
    elsewhere = SyncJob(crm, crm.identify(), crm.shapes, job.store, Policy(), clock)

    with pytest.raises(UsageError, match="another account"):
        undo(elsewhere, clock, run.run_id)


def make_plan(job: SyncJob, clock: SetClock, path: Path) -> Path:
    sync(job, clock, dry_run=True, plan_file=path)
    return path


def test_plan_is_applied_as_it_is_and_only_once(crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path) -> None:
    for i in range(9):
        crm.put("people", f"p{i}", phone=GOOD, mobile=OTHER)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    text = plan.read_text(encoding="utf-8")

    assert "+14155550132" not in text
    assert GOOD not in text
    assert plan.stat().st_mode & 0o077 == 0

    crm.put("people", "later", phone=GOOD)
    applied = apply_plan(job, plan)

    assert applied.total("written") == 9
    assert crm.rows["people"]["p3"]["rf_phone_status"] == "valid"
    assert "rf_phone_status" not in crm.rows["people"]["later"]

    with pytest.raises(UsageError, match=rf"is already applied, by run {applied.run_id}"):
        apply_plan(job, plan)

    undo(job, clock, applied.run_id)
    clock.advance(seconds=10)
    assert apply_plan(job, plan).total("written") == 9


def test_rows_that_a_plan_leaves_out_are_kept_in_the_history(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    for i in range(3):
        crm.put("people", f"p{i}", phone=GOOD)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    crm.put("people", "p1", phone=OTHER)

    applied = apply_plan(job, plan)

    assert [(row.id, row.code) for row in applied.conflicts] == [("p1", "CHANGED_SINCE_PLAN")]
    kept = [row for row in read_changes(job.store, applied.run_id) if row.result and row.result.outcome == "conflict"]
    assert [row.change.id for row in kept] == ["p1"]


def test_rows_that_changed_or_opted_out_since_the_plan_are_left_out(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    for id_ in ("edited", "flagged", "same", "shares", "gone"):
        crm.put("people", id_, phone=OTHER if id_ in ("flagged", "shares") else GOOD)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    crm.put("people", "edited", phone="+1 415 555 0199")
    crm.put("people", "flagged", optout=True)
    crm.delete("people", "gone")
    applied = apply_plan(job, plan)

    assert applied.total("written") == 1
    assert applied.total("conflicts") == 4
    assert crm.rows["people"]["same"]["rf_phone_status"] == "valid"
    assert "rf_phone_status" not in crm.rows["people"]["shares"]


def test_a_number_that_was_edited_since_the_plan_gets_no_new_date(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    crm.put("people", "p1", phone=GOOD)
    sync(job, clock)
    clock.advance(days=40)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    crm.put("people", "p1", phone=OTHER)
    assert apply_plan(job, plan).total("written") == 0


def test_an_opt_out_of_a_plan_is_applied_to_the_holders_of_the_number_that_still_hold_it(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    crm.put("people", "asks", phone=GOOD, optout=True)
    crm.put("people", "reached", phone=GOOD, mobile="(415) 555-0133")
    crm.put("people", "retyped", phone=GOOD)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    crm.put("people", "retyped", phone="+44 20 7946 0020")
    clock.advance(seconds=10)

    applied = apply_plan(job, plan)

    assert (applied.total("written"), applied.total("conflicts")) == (2, 1)
    for id_ in ("asks", "reached"):
        assert crm.rows["people"][id_]["optout"] is True
        assert crm.rows["people"][id_]["rf_phone_status"] == "do_not_contact"
    assert crm.rows["people"]["reached"]["rf_mobile_status"] == "do_not_contact"
    assert "rf_phone_status" not in crm.rows["people"]["retyped"]


def test_an_opt_out_that_was_lifted_since_the_plan_is_not_carried_by_it(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    crm.put("people", "asks", phone=GOOD, optout=True)
    crm.put("people", "shares", phone=GOOD)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    crm.put("people", "asks", optout=False)
    assert apply_plan(job, plan).total("conflicts") == 2
    assert "optout" not in crm.rows["people"]["shares"]


def test_a_flag_of_a_plan_stays_down_on_a_silent_record_once_the_opt_out_was_lifted(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    crm.put("people", "asks", phone=GOOD, optout=True)
    for i in range(30):
        crm.put("people", f"p{i}", phone=GOOD)
    sync(job, clock)
    assert crm.rows["people"]["p1"]["rf_phone_status"] == "do_not_contact"
    clock.advance(seconds=10)
    plan = tmp_path / "plan.json"
    run_sync(job, SyncOptions(dry_run=True, confirm_spread=True, plan_file=plan))
    crm.put("people", "asks", optout=False)

    applied = apply_plan(job, plan)

    assert applied.total("flags_raised") == 0
    assert not any(row.get("optout") for row in crm.rows["people"].values())


def test_a_plan_goes_on_where_rows_were_refused(crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path) -> None:
    for i in range(9):
        crm.put("people", f"p{i}", phone=GOOD)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    crm.refuse = lambda change: ("RULE", "frozen") if change.id == "p4" else None
    assert apply_plan(job, plan).total("failed") == 1
    crm.refuse = lambda _change: None
    clock.advance(seconds=10)

    again = apply_plan(job, plan)

    assert (again.total("written"), again.total("unchanged"), again.total("conflicts")) == (1, 8, 0)


def test_edited_cut_old_and_foreign_plans_are_refused(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    crm.put("people", "p1", phone=GOOD)
    plan = make_plan(job, clock, tmp_path / "plan.json")
    content = plan.read_bytes()

    for spoilt in (content.replace(b"valid", b"activ", 1), content[:-30], content + b"x", b"", b"{}", b"\x00\xff"):
        (tmp_path / "spoilt.json").write_bytes(spoilt)
        with pytest.raises(FileError):
            apply_plan(job, tmp_path / "spoilt.json")

    with pytest.raises(FileError):
        apply_plan(job, tmp_path / "missing.json")
    with pytest.raises(FileError, match="exists already"):
        make_plan(job, clock, plan)

    crm.org_id = "mem-2"
    with pytest.raises(UsageError, match="planned for"):
        apply_plan(SyncJob(crm, crm.identify(), crm.shapes, job.store, Policy(), clock), plan)

    clock.advance(hours=25)
    with pytest.raises(UsageError, match="24 hours"):
        apply_plan(job, plan)
    assert "rf_phone_status" not in crm.rows["people"]["p1"]
    with pytest.raises(UsageError, match="dry run"):
        sync(job, clock, plan_file=tmp_path / "other.json")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("people", [1, 200])  # one fails with the last words, the other in the middle
def test_a_plan_that_the_disk_has_no_room_for_is_told_and_leaves_nothing(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path, people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_full(path: Path) -> int:
        path.touch()
        return os.open("/dev/full", os.O_WRONLY)

    for i in range(people):
        crm.put("people", f"p{i}", phone=GOOD)
    monkeypatch.setattr("ringfence.core.writing.plan_file.open_new", open_full)

    with pytest.raises(FileError, match="No space left"):
        sync(job, clock, dry_run=True, plan_file=tmp_path / "plan.json")
    assert not (tmp_path / "plan.json").exists()
    assert list_runs(job.store)[0].outcome is RunOutcome.FAILED


def test_a_slot_that_stays_silent_because_nobody_lifted_it_is_renewed_by_a_plan(
    crm: MemoryCrm, job: SyncJob, clock: SetClock, tmp_path: Path
) -> None:
    crm.put("people", "p1", phone=GOOD, rf_phone_status="do_not_contact", rf_phone_screened_value=GOOD)
    crm.put("people", "p1", rf_phone_last_screened=clock.now() - timedelta(days=40))
    plan = make_plan(job, clock, tmp_path / "plan.json")

    applied = apply_plan(job, plan)

    assert (applied.total("written"), applied.total("conflicts")) == (1, 0)
    assert crm.rows["people"]["p1"]["rf_phone_status"] == "do_not_contact"
