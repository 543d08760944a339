"""The question before the first write to a production org, with the numbers of a preview where there is one.

Nothing of the org has been read when the question comes, so the numbers are those of a dry run: of the last day's,
which the history keeps, or of one that is made when the person asks for it. Counts of the CRM would say how many
records there are, and nothing of flags and rewritten phones, which are what a person has to decide about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from ringfence.core.ports.crm import Org
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions
from ringfence.core.state.cursors import confirm_writes, register_org, writes_confirmed
from ringfence.core.state.run_history import Run, list_dry_runs
from ringfence.core.state.store import Store
from ringfence.core.writing.plan_reader import read_plan

GOOD_FOR = timedelta(hours=24)
"""How long a preview's numbers are shown; as long as a plan may be applied."""

_ALIKE = ("rescreen", "limit", "confirm_spread")
"""Options by which two syncs of an org do different things; the first one reads everything anyway."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a sync would do, by a dry run: ``run_id`` and when it began, in UTC.

    ``records`` would be written; ``flags_raised`` counts records too, ``slots_silenced`` and ``phones_rewritten`` phone
    fields, ``lookups`` numbers, for ``cost`` at most. ``limit`` is that of the dry run and of the sync, ``stopped`` why
    the dry run ended early, where it did.
    """

    run_id: str
    made_at: datetime
    records: int
    flags_raised: int
    slots_silenced: int
    phones_rewritten: int
    lookups: int
    cost: float
    currency: str
    limit: int | None
    stopped: str = ""

    @classmethod
    def of(cls, run_id: str, made_at: datetime, summary: Mapping[str, Any], limit: int | None) -> Self:
        """Return the figures in the document of a dry run."""
        objects = summary["objects"].values()

        def total(name: str) -> int:
            return sum(int(counts.get(name, 0)) for counts in objects)

        return cls(
            run_id,
            made_at,
            total("written"),
            total("flags_raised"),
            total("slots_silenced"),
            total("phones_rewritten"),
            int(summary.get("lookups_planned") or 0),
            float(summary.get("cost_planned") or 0),
            str(summary.get("currency") or ""),
            limit,
            str(summary.get("stopped") or ""),
        )


@dataclass(frozen=True, slots=True)
class FirstWrite:
    """May ringfence write to this production org, for the first time?

    ``figures`` say what it would do, where a preview tells; ``preview`` makes one, None where that is not offered.
    """

    org: Org
    figures: Figures | None = None
    preview: Callable[[], Figures] | None = None


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
