"""Taking in opt-outs: the flags that are up, those that were lowered, and who holds which number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from ..decisions.coverage import find_said, has_opt_out_history
from ..decisions.messages import find_said_of_messages
from ..model.blocks import EVERY_WAY
from ..model.consent import Consent, ConsentState
from ..model.opt_outs import OptOuts
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..model.verdicts import OptOut
from ..ports.crm import Crm, Page
from ..state.flag_states import consent_of
from ..state.holdings import Holding
from ..state.opt_out_ledger import OptOutLedger


def ingest_opt_outs(crm: Crm, pages: Iterable[Page], shapes: Mapping[str, ObjectShape], ledger: OptOutLedger) -> None:
    """Record in the ledger every flag that is up, and every one that was lowered.

    ``pages`` are those of a feed's ``flagged()``.
    """
    ledger.settle_flags({name: frozenset(shape.flag_fields()) for name, shape in shapes.items() if shape.opt_outs})
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
    flagged = [view for view in views if view.flagged or view.withdrawn]
    done = ledger.handed_over([view.key for view in flagged])
    left = [view for view in flagged if view.key not in done]

    ledger.record([_hold_gone(view) for view in left])
    ledger.hand_over(view.key for view in left)
    ledger.forget_holders(view.key for view in views if not (view.flagged or view.withdrawn))


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
    held = list(views)
    ledger.record([_hold(view, certain=certain) for view in held])
    _record_consents(ledger, held, certain=certain)


def _record_consents(ledger: OptOutLedger, views: Sequence[RecordView], *, certain: bool) -> None:
    told, withdrawn, given = {}, [], []
    for view in views:
        if view.shape.consent is None and view.record.withdrawn is None:
            continue  # nearly all records say nothing of it
        if (consent := view.consent()) is not None:
            told[view.key] = consent
        for name, state in _find_consents(view, consent):
            key = name, view.key[1]
            if state is ConsentState.WITHDRAWN:
                withdrawn.append(Holding(*key, view.all_e164s(), flagged=True))
            elif certain and state is ConsentState.GIVEN:
                given.append(key)
    ledger.record_consents(told, withdrawn, given)


def _find_consents(view: RecordView, consent: Consent | None) -> Iterator[tuple[str, ConsentState]]:
    """Yield what the record says of consent by the name of each line that the ledger has for it."""
    if consent is not None:
        yield consent_of(view.key[0]), consent.state
    if (told := view.record.withdrawn) is not None:
        yield consent_of(view.key[0], beside=True), ConsentState.WITHDRAWN if told else ConsentState.GIVEN


def _hold(view: RecordView, *, certain: bool) -> Holding:
    shape, flagged = view.shape, view.flagged
    said = find_said(view) if has_opt_out_history(view) else OptOut.NONE
    messages = find_said_of_messages(view) if shape.has_sms else OptOut.NONE
    known_up = flagged if flagged or (certain and shape.opt_outs) else None
    return Holding(*view.key, view.all_e164s(), known_up, said, view.up, shape.channels, messages, shape.ratchet)


def _hold_gone(view: RecordView) -> Holding:
    held = _hold(view, certain=False).unsaid()
    return held._replace(flagged=True, up=EVERY_WAY) if view.withdrawn else held


def look_up_opt_outs(ledger: OptOutLedger, views: Sequence[RecordView]) -> OptOuts:
    """Return what the ledger knows of opt-outs about these records."""
    numbers = set(chain.from_iterable(view.all_e164s() for view in views))
    opt_outs = ledger.look_up(numbers, [view.key for view in views if has_opt_out_history(view)])
    if opt_outs.messages_alone:
        for view in views:
            if view.key in opt_outs.messages_alone:
                view.mute_messages_alone()
    return opt_outs
