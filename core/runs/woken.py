"""A sync of some records alone: those that somebody told us to look at, read by their ids.

It goes the way of every sync: opt-outs of the records are taken in first, their slots are screened, changes are
planned, guarded and journalled, and what opt-outs reach is silenced in the same run. It moves no cursor and does not
count as a sync of the account: the next one reads what the feed says all the same.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..model.record_view import RecordView
from ..state.earlier_syncs import last_complete_sync
from ..state.run_history import new_run_id
from ..state.wakes import Wake, Wakes
from ..suppression.mapping_guard import check_opt_out_fields
from ..suppression.record_reader import read_views
from .figures import count_fewest_calls
from .mode import Live, Withholding
from .options import SyncOptions
from .page_reader import PageSource
from .parts import SyncParts
from .run import SyncJob, open_run
from .summary import Summary
from .sync import SyncRun

logger = logging.getLogger(__name__)

MOST = 500
"""Records that are read at once, and forgotten as woken once all of them have an outcome."""


def run_woken(job: SyncJob) -> Summary:
    """Sync the records of the account that wait to be looked at, and return what was done; the history keeps it too.

    A lookup that nobody has agreed to waits for the next sync. Raises and ends as
    :func:`ringfence.core.runs.sync.run_sync` does; records without an outcome go on waiting.
    """
    mode = Withholding() if job.may_not_buy else Live()
    summary = Summary(new_run_id(job.clock.now()), job.name, org=job.org.name, dry_run=False)
    told = {"woken": True, "providers": [lookup.name for lookup in job.lookups]}
    with open_run(job, summary, told, mode) as context:
        try:
            WokenRun(context, SyncOptions(), summary, mode).go()
        finally:
            count_fewest_calls(job, summary)
    return summary


class WokenRun(SyncRun):
    """A run over the records that were woken; everything but the reading is a sync's."""

    def _work(self) -> bool:
        job, parts, context = self._job, self._parts, self._context
        check_opt_out_fields(parts.ledger, job.shapes, accepted=False)
        source = PageSource(job.crm, job.shapes, job.progress, context.heartbeat, None)

        whole = self._read([_TakeInKnown(source, parts), _ReadWoken(source, parts, Wakes(job.store, job.name))])
        if not whole and not parts.brake.pulled:
            self._tell_what_went_wrong()
            return False

        spread_out = self._enforce(self._spreading(source, hold_flags=not self._knows_holders(), all_read=False))
        self._tell_what_went_wrong()
        return spread_out and whole

    def _knows_holders(self) -> bool:
        """Return whether every object has been read as a whole: before, slots are silenced and flags wait."""
        has_synced = last_complete_sync(self._job.store, self._context.org_id) is not None
        return has_synced and self._parts.cursors.read().keys() >= self._job.shapes.keys()

    def _refuse_unagreed(self) -> None:
        """Let lookups wait that nobody has agreed to: a person is not there, and the next sync says so."""


@dataclass(frozen=True, slots=True)
class _TakeInKnown:
    """Takes in what is known of elsewhere, and what needs no CRM."""

    source: PageSource
    parts: SyncParts

    def run(self) -> bool:
        ledger, shapes = self.parts.ledger, self.source.shapes
        ledger.settle_flags({name: frozenset(shape.flag_fields()) for name, shape in shapes.items() if shape.opt_outs})
        ledger.take_in_elsewhere()
        ledger.settle_consents(shapes)
        return True


@dataclass(frozen=True, slots=True)
class _ReadWoken:
    """Reads the woken records by their ids, and takes those that are due to their outcomes."""

    source: PageSource
    parts: SyncParts
    wakes: Wakes

    def run(self) -> bool:
        parts = self.parts
        self.source.begin("woken records")
        after, seen = ("", ""), set[tuple[str, str]]()
        while some := self.wakes.next(after, MOST):
            self.source.heartbeat()
            after = some[-1].key
            # The survivor of a merge may wait under its own id as well, and one write must not name it twice.
            views = [view for view in self._fetch(some) if view.key not in seen]
            seen.update(view.key for view in views)

            if not (parts.queue.take(parts.examiner.examine(views, authoritative=True)) and parts.queue.flush()):
                return False
            if parts.brake.pulled:
                return True
            self.wakes.settle(some)
        return True

    def _fetch(self, wakes: list[Wake]) -> list[RecordView]:
        """Return the records that are there, and record in the ledger which of them are gone."""
        shapes = self.source.shapes
        wanted = {wake.key for wake in wakes if wake.object in shapes}
        views = read_views(self.source.crm, shapes, sorted(wanted))
        self.parts.ledger.forget_holders(wanted.difference(view.key for view in views))
        return views
