"""Taking in opt-outs: the flags that are up, those that were lowered, and who holds which number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..ports.crm import Crm, Page
from ..state.holdings import Holding
from ..state.opt_out_ledger import OptOutLedger


def ingest_opt_outs(crm: Crm, pages: Iterable[Page], shapes: Mapping[str, ObjectShape], ledger: OptOutLedger) -> None:
    """Record in the ledger every flag that is up, and every one that was lowered.

    ``pages`` are those of a feed's ``flagged()``.
    """
    for page in pages:
        shape = shapes[page.object]
        views = [RecordView(record, shape) for record in page.records]
        if page.gone:
            done = ledger.handed_over([view.key for view in views])
            views = [view for view in views if view.key not in done]

        if not page.authoritative:
            views = _confirm_lowered(crm, page.object, views, shape)

        record_holdings(ledger, views, certain=True)
        if page.gone:
            ledger.hand_over(view.key for view in views)


def _confirm_lowered(crm: Crm, object_name: str, views: Iterable[RecordView], shape: ObjectShape) -> list[RecordView]:
    """Return the records with the true state of those whose flag looks lowered, because an index may be behind.

    A flag that is said to be up is believed.
    """
    raised: list[RecordView] = []
    lowered: list[str] = []
    for view in views:
        if view.flagged:
            raised.append(view)
        else:
            lowered.append(view.record.id)

    present = crm.fetch(object_name, lowered) if lowered else []
    return raised + [RecordView(record, shape) for record in present]


def record_holdings(ledger: OptOutLedger, views: Iterable[RecordView], *, certain: bool) -> None:
    """Record in the ledger which numbers the records hold and whether their flag is up.

    Unless ``certain``, a flag that looks lowered changes nothing.
    """
    ledger.record(
        [Holding(*view.key, view.all_e164s(), view.flagged if certain or view.flagged else None) for view in views]
    )
