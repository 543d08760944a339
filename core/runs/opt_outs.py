"""Taking in, outside a sync, what was opted out since the last one."""

from __future__ import annotations

from ..concurrency import read_ahead
from ..state.cursors import Cursors
from ..state.opt_out_ledger import OptOutLedger
from ..suppression.intake import ingest_opt_outs
from .run import RunContext


def take_in_opt_outs(context: RunContext, ledger: OptOutLedger) -> None:
    """Record in the ledger the flags that were raised or lowered since the last sync; the cursors stay where they are.

    What is written after this must know of them.
    """
    job = context.job
    kept = Cursors(job.store, context.org_id, job.shapes).read()
    feed = job.crm.open_feed({name: kept.get(name) for name in job.shapes})

    with read_ahead(feed.flagged(), 0, context.heartbeat, threaded=job.crm.capabilities.threads) as pages:
        ingest_opt_outs(job.crm, pages, job.shapes, ledger)
