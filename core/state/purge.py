"""History that has done its service, forgotten: runs with their journal, and answers of lookups that are stale anyway.

What keeps an opt-out alive stays, however old it is: flags and whose they are, who holds which number, what waits,
cursors, merged records. So do the marks of lost lookups, or else they would be bought again, and of each account the
latest complete sync with all that came after it: by its journal the next sync tells its own writes from people's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from ..errors import BusyError
from ..model.run_outcome import RunOutcome
from ..model.signals import OptOutWord
from ..ports.services import Clock
from . import schema
from .deleting import Condition, count_rows, delete_journals, delete_some_rows, give_back_space
from .earlier_syncs import find_anchor
from .flag_states import FlagState
from .leases import take_lease, this_process
from .run_parts import forget_parts
from .store import Store

PLAN_GOOD_FOR = timedelta(hours=25)
"""How long the history has to know that a plan was applied, so that it is not applied again."""

ABANDONED = timedelta(days=7)
"""After this a screening without an end was killed: no CRM belongs to it whose next sync would find that out."""

SPENDING_COUNTS_FOR = timedelta(days=7)
"""How long what was spent may still count against a cap: that of its day, or of a run that takes days."""

REPEATED_FOR = timedelta(days=2)
"""How long a signal whose signature covers a time could still be told again: a day at most, by any vendor."""

BUSY = "a run is under way"
UNSETTLED = "its next sync has to find out first whose flags are up"

_SOME = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """What is old: runs that ended before ``runs_before``, answers observed before ``answers_before`` (both UTC)."""

    runs_before: datetime
    answers_before: datetime


@dataclass(slots=True)
class Purged:
    """How many rows are gone by table, and which accounts kept their history for which reason."""

    rows: Counter[str] = field(default_factory=Counter)
    kept: dict[str, str] = field(default_factory=dict)
    freed_bytes: int = 0


def purge_history(store: Store, limits: Limits, this_run: str, clock: Clock, *, dry_run: bool) -> Purged:
    """Forget what is old, ``this_run`` aside; in a dry run only count it.

    An account on which a run is at work keeps its history; the others are locked for as long as theirs is purged.
    """
    purged = Purged()
    _purge_runs(store, None, limits, this_run, clock, purged, dry_run=dry_run)
    for org_id, key in _list_accounts(store):
        if dry_run:
            _purge_runs(store, org_id, limits, this_run, clock, purged, dry_run=True)
            continue
        try:
            lease = take_lease(store, org_id, this_run, clock.now(), this_process())
        except BusyError:
            purged.kept[key] = BUSY
            continue
        try:
            _purge_runs(store, org_id, limits, this_run, clock, purged, dry_run=False)
        finally:
            lease.release()

    _purge_lookups(store, limits, purged, dry_run=dry_run)
    _purge_reviews(store, limits, purged, dry_run=dry_run)
    _purge_executions(store, limits, purged, dry_run=dry_run)
    _purge_wakes(store, limits, purged, dry_run=dry_run)
    _purge_signals(store, limits, clock, purged, dry_run=dry_run)
    _purge_asked(store, limits, purged, dry_run=dry_run)
    if not dry_run:
        _forget_spending(store, min(limits.runs_before, clock.now() - SPENDING_COUNTS_FOR))
        purged.freed_bytes = give_back_space(store)
    purged.kept.update(dict.fromkeys(_unsettled_accounts(store), UNSETTLED))
    return purged


def _list_accounts(store: Store) -> Sequence[tuple[int, str]]:
    with store.transaction() as connection:
        rows = connection.execute(select(schema.orgs.c.id, schema.orgs.c.key).order_by(schema.orgs.c.id))
        return [(row.id, row.key) for row in rows]


def _unsettled_accounts(store: Store) -> Sequence[str]:
    flags, orgs = schema.opt_out_flags, schema.orgs
    unsettled = select(flags.c.org_id).where(flags.c.org_id == orgs.c.id, flags.c.state == FlagState.UNSETTLED.value)
    with store.transaction() as connection:
        return connection.scalars(select(orgs.c.key).where(unsettled.exists()).order_by(orgs.c.id)).all()


def _purge_runs(
    store: Store, org_id: int | None, limits: Limits, this_run: str, clock: Clock, purged: Purged, *, dry_run: bool
) -> None:
    conditions = _is_done_with(store, org_id, limits, this_run, clock)
    for ids in _pages(store, conditions):
        if dry_run:
            purged.rows["runs"] += len(ids)
            purged.rows["batches"] += count_rows(store, schema.batches, schema.batches.c.run_id.in_(ids))
            continue
        purged.rows["batches"] += delete_journals(store, ids)
        forget_parts(store, ids)
        with store.transaction() as connection:
            gone = connection.execute(delete(schema.runs).where(schema.runs.c.id.in_(ids)))
            purged.rows["runs"] += gone.rowcount


def _is_done_with(
    store: Store, org_id: int | None, limits: Limits, this_run: str, clock: Clock
) -> tuple[Condition, ...]:
    """Return the conditions under which the next sync of an account needs a run no more; None: runs of no account."""
    runs, batches = schema.runs, schema.batches
    is_open = select(batches.c.run_id).where(batches.c.run_id == runs.c.id, batches.c.settled_at.is_(None)).exists()
    is_plan = (runs.c.options.startswith('{"apply"') | runs.c.options.startswith('{"undo"')) & (
        runs.c.started_at >= clock.now() - PLAN_GOOD_FOR
    )
    has_ended = runs.c.ended_at < limits.runs_before
    if org_id is None:
        is_abandoned = runs.c.started_at < min(limits.runs_before, clock.now() - ABANDONED)
        return (runs.c.org_id.is_(None), runs.c.id != this_run, has_ended | (runs.c.ended_at.is_(None) & is_abandoned))

    conditions = [runs.c.org_id == org_id, runs.c.id != this_run, has_ended, ~is_open, ~is_plan]
    anchor = find_anchor(store, org_id)
    if anchor is not None:
        conditions.append((runs.c.started_at < anchor) | runs.c.dry_run)
    flags = schema.opt_out_flags
    if count_rows(store, flags, flags.c.org_id == org_id, flags.c.state == FlagState.UNSETTLED.value):
        conditions.append(runs.c.dry_run.is_(True))
    return tuple(conditions)


def _pages(store: Store, conditions: tuple[Condition, ...]) -> Iterator[Sequence[str]]:
    """Yield the ids of the runs in their order, some at a time; those behind may be gone by then."""
    table, last = schema.runs, ""
    while True:
        query = select(table.c.id).where(*conditions, table.c.id > last).order_by(table.c.id).limit(_SOME)
        with store.transaction() as connection:
            ids = connection.scalars(query).all()
        if not ids:
            return
        last = ids[-1]
        yield ids


def _purge_lookups(store: Store, limits: Limits, purged: Purged, *, dry_run: bool) -> None:
    answers, failures, history, runs = (
        schema.lookup_answers,
        schema.lookup_failures,
        schema.lookup_history,
        schema.runs,
    )
    running = select(runs.c.id).where(runs.c.outcome == RunOutcome.RUNNING.value)
    # A failure counts for the run alone that met it.
    stale = {
        answers: (answers.c.observed_at < limits.answers_before,),
        failures: (failures.c.failed_at < limits.runs_before, failures.c.run_id.not_in(running)),
        history: (history.c.observed_at < limits.runs_before,),
    }
    for table, only in stale.items():
        if dry_run:
            purged.rows[table.name] += count_rows(store, table, *only)
        else:
            purged.rows[table.name] += delete_some_rows(store, table, table.c.number_key, (), only)


def _purge_reviews(store: Store, limits: Limits, purged: Purged, *, dry_run: bool) -> None:
    """Forget what people have decided long ago, but for flags that are not up again: about those nobody asks twice."""
    table = schema.review_items
    old = (table.c.resolved_at < limits.runs_before, table.c.raised_again.is_(True))
    if dry_run:
        purged.rows[table.name] += count_rows(store, table, *old)
    else:
        purged.rows[table.name] += delete_some_rows(store, table, table.c.id, (), old)


def _purge_executions(store: Store, limits: Limits, purged: Purged, *, dry_run: bool) -> None:
    """Forget the executions that ended long ago; those that wait stay."""
    table = schema.executions
    old = (table.c.ended_at < limits.runs_before,)
    if dry_run:
        purged.rows[table.name] += count_rows(store, table, *old)
    else:
        purged.rows[table.name] += delete_some_rows(store, table, table.c.id, (), old)


def _purge_wakes(store: Store, limits: Limits, purged: Purged, *, dry_run: bool) -> None:
    """Forget what was woken long ago of accounts that nobody syncs any more."""
    table = schema.wakes
    old = (table.c.since < limits.runs_before,)
    if dry_run:
        purged.rows[table.name] += count_rows(store, table, *old)
    else:
        purged.rows[table.name] += delete_some_rows(store, table, table.c.record_id, (), old)


def _purge_signals(store: Store, limits: Limits, clock: Clock, purged: Purged, *, dry_run: bool) -> None:
    """Forget old evidence, and which signals were heard long ago, but for those that could be told again at any time.

    Of people's words the evidence stays: by it the order of a STOP and a START is known.
    """
    evidence, heard, signs = schema.evidence, schema.heard_signals, schema.number_signs
    in_order = (OptOutWord.STOP.value, OptOutWord.START.value)
    orders_nothing = evidence.c.word.is_(None) | evidence.c.word.not_in(in_order)
    told_before = min(limits.runs_before, clock.now() - REPEATED_FOR)
    old = (evidence.c.occurred_at < limits.runs_before, orders_nothing)
    past = (signs.c.latest_at < limits.runs_before,)
    forgotten = (heard.c.heard_at < told_before, heard.c.timeless.is_(False))
    if dry_run:
        purged.rows[evidence.name] += count_rows(store, evidence, *old)
        purged.rows[heard.name] += count_rows(store, heard, *forgotten)
        purged.rows[signs.name] += count_rows(store, signs, *past)
        return

    purged.rows[evidence.name] += delete_some_rows(store, evidence, evidence.c.id, (), old)
    purged.rows[signs.name] += delete_some_rows(store, signs, signs.c.number_key, (), past)
    with store.transaction() as connection:
        vendors = connection.scalars(select(heard.c.vendor).where(*forgotten).distinct()).all()
    for vendor in vendors:
        its = (heard.c.vendor == vendor,)
        purged.rows[heard.name] += delete_some_rows(store, heard, heard.c.id_key, its, forgotten)


def _purge_asked(store: Store, limits: Limits, purged: Purged, *, dry_run: bool) -> None:
    """Forget the checks that were asked for long ago and that no worker has carried out."""
    table = schema.asked_checks
    old = (table.c.asked_at < limits.runs_before,)
    if dry_run:
        purged.rows[table.name] += count_rows(store, table, *old)
    else:
        purged.rows[table.name] += delete_some_rows(store, table, table.c.number_key, (), old)


def _forget_spending(store: Store, before: datetime) -> None:
    """Delete what runs and days before that moment have spent: no cap asks for it any more."""
    with store.transaction() as connection:
        connection.execute(delete(schema.spending).where(schema.spending.c.began_at < before))
