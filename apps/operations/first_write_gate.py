"""Asks once for each production org whether ringfence may write to it, and remembers the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ringfence.core.ports.crm import Org
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions
from ringfence.core.state.cursors import confirm_writes, register_org, writes_confirmed
from ringfence.core.state.run_history import Run, list_dry_runs
from ringfence.core.state.store import Store
from ringfence.core.writing.plan_reader import read_plan

from .first_write import Figures, FirstWrite

GOOD_FOR = timedelta(hours=24)
"""How long a preview's numbers are shown; as long as a plan may be applied."""

_ALIKE = ("rescreen", "limit", "confirm_spread")
"""Options by which two syncs of an org do different things; the first one reads everything anyway."""

Confirm = Callable[[FirstWrite], None]


def confirm_first_sync(
    store: Store, org: Org, options: SyncOptions, now: datetime, confirm: Confirm, preview: Callable[[], Summary]
) -> None:
    """Ask once for each production org whether a sync may write to it, and remember the answer.

    ``preview`` carries out the sync as a dry run. Raises UsageError where nobody agrees.
    """
    if not org.production or writes_confirmed(store, org):
        return

    def make_figures() -> Figures:
        summary = preview()
        return Figures.of(summary.run_id, now, summary.to_json(), options.limit)

    confirm(FirstWrite(org, _find_figures(store, org, options, now), make_figures))
    confirm_writes(store, org, now)


def confirm_first_plan(store: Store, org: Org, plan: Path, now: datetime, confirm: Confirm) -> None:
    """Ask likewise before a plan is applied; its numbers are those of the dry run that made it.

    Raises what :func:`ringfence.core.writing.plan_reader.read_plan` does, too.
    """
    if not org.production or writes_confirmed(store, org):
        return

    made_by = read_plan(plan, store.keyring, now)[0].run_id
    runs = [run for run in list_dry_runs(store, register_org(store, org), now - GOOD_FOR) if run.id == made_by]
    confirm(FirstWrite(org, _read(runs[0]) if runs else None))
    confirm_writes(store, org, now)


def _find_figures(store: Store, org: Org, options: SyncOptions, now: datetime) -> Figures | None:
    """Return what the latest preview of the same sync has found, if it is not too old."""
    asked = options.to_json()
    for run in list_dry_runs(store, register_org(store, org), now - GOOD_FOR):
        if run.summary and all(run.options.get(each) == asked[each] for each in _ALIKE):
            return _read(run)
    return None


def _read(run: Run) -> Figures | None:
    return Figures.of(run.id, run.started_at, run.summary, run.options.get("limit")) if run.summary else None
