"""What a slot says of messages alone: a block of ``sms`` leaves its status, and is named in its reason."""

from __future__ import annotations

from ..model.blocks import Channel
from ..model.opt_outs import OptOuts
from ..model.reasons import MessagesNote, read_messages_note, with_messages_note
from ..model.record_view import RecordView, text
from ..model.shapes import Slot, Spread
from ..model.values import Companion
from ..model.verdicts import OptOut, Status, Verdict


def find_note(view: RecordView, slot: Slot, opt_outs: OptOuts) -> MessagesNote | None:
    """Return what the slot's reason has to say of messages, while its status says that calls may go on."""
    if not view.shape.has_sms:
        return None
    if Channel.SMS in view.up:
        return MessagesNote.OWN if view.key in opt_outs.own_messages else MessagesNote.SHARED

    reaching = view.all_e164s() if view.shape.spread is Spread.FLAGS else view.e164s(slot)
    blocked = opt_outs.blocked_for_messages(view.shape)
    return None if blocked.isdisjoint(reaching) else MessagesNote.SHARED


def names_wrong_note(view: RecordView, slot: Slot, opt_outs: OptOuts) -> bool:
    """Return whether the reason of a slot that is not silenced says something else of messages than it has to."""
    if not view.shape.has_sms:
        return False
    return _read_note(view, slot) is not find_note(view, slot, opt_outs)


def find_said_of_messages(view: RecordView) -> OptOut:
    """Return whose opt-out from messages the record's slots name: its own where any does, else another record's."""
    if not view.shape.has_sms:
        return OptOut.NONE
    notes = {_read_note(view, slot) for slot in view.shape.slots}
    if MessagesNote.OWN in notes:
        return OptOut.OWN
    return OptOut.SHARED if MessagesNote.SHARED in notes else OptOut.NONE


def add_note(view: RecordView, slot: Slot, opt_outs: OptOuts, verdict: Verdict) -> Verdict:
    """Return the verdict with what it has to say of messages; one that forbids all contact says it already."""
    if not view.shape.has_sms or verdict.status is Status.DO_NOT_CONTACT:
        return verdict
    return verdict._replace(reason=with_messages_note(verdict.reason, find_note(view, slot, opt_outs)))


def renew_note(view: RecordView, slot: Slot, opt_outs: OptOuts) -> Verdict | None:
    """Return the slot's present verdict with what it has to say of messages; None where it has none that holds."""
    if not view.shape.has_sms or not view.is_current(slot):
        return None
    status, last = view.held(slot, Companion.STATUS), view.held(slot, Companion.LAST_SCREENED)
    if status == Status.DO_NOT_CONTACT or status not in set(Status) or last is None or isinstance(last, str | bool):
        return None

    held = text(view.held(slot, Companion.REASON))
    e164, line_type = text(view.held(slot, Companion.E164)), text(view.held(slot, Companion.LINE_TYPE))
    reason = with_messages_note(held, find_note(view, slot, opt_outs))
    return Verdict(Status(str(status)), reason, e164 or None, line_type, last)


def _read_note(view: RecordView, slot: Slot) -> MessagesNote | None:
    return read_messages_note(text(view.held(slot, Companion.REASON)))
