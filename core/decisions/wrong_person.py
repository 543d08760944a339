"""When a number is somebody else's than the person on the record. The rule stands here alone.

A person says so of a number on one record. That record's slots which hold the number say ``wrong_person``, unless they
are silent; no other record is touched, and nothing is bought for them. As with an opt-out, a slot that says so is
itself evidence: where the state is lost it goes on saying so, until it holds another number or its status is emptied.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from ..model.opt_outs import OptOuts
from ..model.reasons import Reason, format_reason, parse_reason
from ..model.record_view import RecordView, text
from ..model.shapes import Slot
from ..model.values import Companion
from ..model.verdicts import Status, Verdict
from ..numbers import ReasonCode
from .coverage import is_about_present_number

_WRONG_PERSON = Status.WRONG_PERSON.value

Named = tuple[str, str, str]
"""An object, the id of a record, and a number in E.164."""


def names_slot(view: RecordView, slot: Slot, named: Collection[Named]) -> bool:
    """Return whether the slot holds a number that was said to be somebody else's on its record."""
    return bool(named) and any((*view.key, number) in named for number in view.e164s(slot))


def may_be_wrong(view: RecordView, opt_outs: OptOuts) -> bool:
    """Return whether :func:`is_wrong_person` may be true of any slot of the record: of nearly all it is of none."""
    return bool(opt_outs.wrong_persons) or _WRONG_PERSON in view.statuses


def is_wrong_person(view: RecordView, slot: Slot, opt_outs: OptOuts) -> bool:
    """Return whether the number of a slot is somebody else's: it was said, and nobody has taken it back."""
    if names_slot(view, slot, opt_outs.wrong_persons):
        return True
    return (
        _says_wrong_person(view, slot)
        and is_about_present_number(view, slot)
        and not names_slot(view, slot, opt_outs.righted)
    )


def differs(view: RecordView, slot: Slot, opt_outs: OptOuts) -> bool:
    """Return whether a slot that is not silent says something else of this than it has to."""
    if not _says_wrong_person(view, slot):
        return names_slot(view, slot, opt_outs.wrong_persons)
    if not is_wrong_person(view, slot, opt_outs):
        return True
    reason = parse_reason(text(view.held(slot, Companion.REASON)))
    return reason is None or reason.code is not ReasonCode.WRONG_PERSON


def judge_wrong_person(view: RecordView, slot: Slot, now: datetime) -> Verdict:
    """Return the verdict on a slot whose number is somebody else's; ``now`` is in whole seconds UTC."""
    number = view.number(slot)
    return Verdict(Status.WRONG_PERSON, word_reason(view, slot), number.e164, str(number.line_type), now)


def word_reason(view: RecordView, slot: Slot) -> str:
    """Return the reason of such a slot."""
    number = view.number(slot)
    return format_reason(Reason(ReasonCode.WRONG_PERSON, repairs=number.repairs, others=len(number.others)))


def _says_wrong_person(view: RecordView, slot: Slot) -> bool:
    return view.record.values.get(slot.companions[Companion.STATUS]) == Status.WRONG_PERSON
