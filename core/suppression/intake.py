"""Taking in opt-outs: the flags that are up, those that were lowered, and who holds which number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from ..decisions.coverage import find_said, has_opt_out_history
from ..model.opt_outs import OptOuts
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..model.verdicts import OptOut
from ..ports.crm import Crm, Page
from ..state.holdings import Holding
from ..state.opt_out_ledger import OptOutLedger


def ingest_opt_outs(crm: Crm, pages: Iterable[Page], shapes: Mapping[str, ObjectShape], ledger: OptOutLedger) -> None:
    """Record in the ledger every flag that is up, and every one that was lowered.

    ``pages`` are those of a feed's ``flagged()``.
    """
    ledger.settle_flags({name: shape.opt_out.field for name, shape in shapes.items() if shape.opt_out})
    for page in pages:
        shape = shapes[page.object]
        views = [RecordView(record, shape) for record in page.records]
        if page.gone:
            _ingest_gone(ledger, views)
            continue

        if not page.authoritative:
            views = _confirm_lowered(crm, page.object, views, shape)
        record_holdings(ledger, views, certain=True)


def _ingest_gone(ledger: OptOutLedger, views: Sequence[RecordView]) -> None:
    """Take in records that were merged away or deleted: the opt-outs of those whose flag was up are handed over.

    A flag that was down lifts nothing here: its record is not there. Whose a flag is that the ledger does not know is
    not asked of the slots, because they may be those of the record that survived.
    """
    flagged = [view for view in views if view.flagged]
    done = ledger.handed_over([view.key for view in flagged])
    left = [view for view in flagged if view.key not in done]

    ledger.record([Holding(*view.key, view.all_e164s(), flagged=True) for view in left])
    ledger.hand_over(view.key for view in left)
    ledger.forget_holders(view.key for view in views if not view.flagged)


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

    Unless ``certain``, a flag that looks lowered changes nothing; nor does it where the mapping names no flag.
    """
    ledger.record([_hold(view, certain=certain) for view in views])


def _hold(view: RecordView, *, certain: bool) -> Holding:
    flagged = view.flagged
    said = find_said(view) if has_opt_out_history(view) else OptOut.NONE
    known = flagged or (certain and view.shape.opt_out is not None)
    return Holding(*view.key, view.all_e164s(), flagged if known else None, said)


def look_up_opt_outs(ledger: OptOutLedger, views: Sequence[RecordView]) -> OptOuts:
    """Return what the ledger knows of opt-outs about these records."""
    numbers = set(chain.from_iterable(view.all_e164s() for view in views))
    return ledger.look_up(numbers, [view.key for view in views if has_opt_out_history(view)])
