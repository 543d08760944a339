"""Taking in, outside a sync, what was opted out since the last one."""

from __future__ import annotations

from dataclasses import replace

from ..concurrency import read_ahead
from ..state.cursors import Cursors
from ..state.opt_out_ledger import OptOutLedger
from ..state.run_history import new_run_id
from ..state.store import Store
from ..suppression.intake import ingest_opt_outs
from ..suppression.mapping_guard import check_opt_out_fields
from .run import RunContext, SyncJob, TakenIn, hold_account


def take_in_opt_outs(context: RunContext, ledger: OptOutLedger) -> None:
    """Record in the ledger the flags that were raised or lowered since the last sync; the cursors stay where they are.

    What is written after this must know of them.
    """
    job = context.job
    kept = Cursors(job.store, context.org_id, job.shapes).read()
    feed = job.crm.open_feed({name: kept.get(name) for name in job.shapes})

    with read_ahead(feed.flagged(), 0, context.heartbeat, threaded=job.crm.capabilities.threads) as pages:
        ingest_opt_outs(job.crm, pages, job.shapes, ledger)


def take_in_account(job: SyncJob, *, accept_opt_out_change: bool = False, rehearsal: Store | None = None) -> TakenIn:
    """Take in an account's opt-outs before those of others are enforced; the history has no run of it.

    In a dry run they are taken into the ``rehearsal``, and the state is as it was before. Returns what its own run has
    to know of. Raises what a sync of the account would end with before it reads anything else, and BusyError while
    another run is at it.
    """
    run_id = new_run_id(job.clock.now())
    with hold_account(job, run_id, dry_run=rehearsal is not None) as (context, reconciled):
        context = replace(context, job=replace(job, store=rehearsal or job.store))
        ledger = OptOutLedger(context.job.store, context.org_id, run_id, job.clock)
        check_opt_out_fields(ledger, job.shapes, accepted=accept_opt_out_change)
        take_in_opt_outs(context, ledger)
    return TakenIn(dict(job.crm.calls), reconciled, rehearsal)
