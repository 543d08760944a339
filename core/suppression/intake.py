"""Taking in opt-outs: the flags that are up, those that were lowered, and who holds which number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..ports.crm import Crm, Page
from ..state.opt_out_ledger import Holding, OptOutLedger


def ingest_opt_outs(crm: Crm, pages: Iterable[Page], shapes: Mapping[str, ObjectShape], ledger: OptOutLedger) -> None:
    """Take in every flag that is up, and every one that was lowered: the pages of a feed's ``flagged()``."""
    for page in pages:
        shape = shapes[page.object]
        views = [RecordView(record, shape) for record in page.records]
        if page.gone:
            done = ledger.handed_over([view.key for view in views])
            views = [view for view in views if view.key not in done]
        if not page.authoritative:
            # An index may be behind: a flag said to be up is believed, one said to be down is read again.
            lowered = [view.record.id for view in views if not view.flagged]
            views = [view for view in views if view.flagged]
            views += [RecordView(record, shape) for record in crm.fetch(page.object, lowered)] if lowered else []
        record_holdings(ledger, views, certain=True)
        if page.gone:
            ledger.hand_over(view.key for view in views)


def record_holdings(ledger: OptOutLedger, views: Iterable[RecordView], *, certain: bool) -> None:
    """Take in what the records hold. Unless ``certain``, a flag that looks lowered changes nothing."""
    ledger.record(
        [Holding(*view.key, view.all_e164s(), view.flagged if certain or view.flagged else None) for view in views]
    )
