"""The one place where a write is decided: record and verdicts in, a change or nothing out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..clock import whole_seconds
from ..model.record_view import RecordView, screened_value, text
from ..model.shapes import Slot
from ..model.values import Change, Companion, Value
from ..model.verdicts import Status, Verdict
from ..numbers import Validity


def plan_change(view: RecordView, verdicts: Mapping[str, Verdict | None], *, raise_flag: bool = False) -> Change | None:
    """Return what has to be written so that the record says what the verdicts say, or None when it does already.

    ``verdicts`` holds a verdict for each slot that was screened, by field name; None empties the companions of a slot
    without content. Slots that are not named keep what they say. Only owned fields are touched (contract, section 2),
    and the flag is only ever raised.
    """
    names: list[str] = []
    wanted: list[Value] = []
    guard: dict[str, Value] = {}
    for slot in view.shape.slots:
        if slot.field not in verdicts:
            continue
        verdict = verdicts[slot.field]
        content = view.content(slot)
        if verdict is not None and (rewritten := _normalized(view, slot, verdict)):
            guard[slot.field] = view.record.values.get(slot.field)
            names.append(slot.field)
            wanted.append(rewritten)
            content = rewritten
        names += map(slot.companions.__getitem__, _ORDER)
        wanted += _companions(verdict, content)
    opt_out = view.shape.opt_out
    if raise_flag and opt_out and not view.flagged:
        names.append(opt_out.field)
        wanted.append(opt_out.raised)
    record = view.record
    held = map(record.values.get, names)
    # What was empty differs from all that says something; to see that here spares most of the calls.
    changed = [
        (name, old, new)
        for name, old, new in zip(names, held, wanted, strict=True)
        if ((new.strip() if new.__class__ is str else new is not None) if old is None else not same_value(old, new))
    ]
    if not changed:
        return None
    fields, olds, news = zip(*changed, strict=True)
    return Change(record.object, record.id, fields, olds, news, guard, record.modified)


_ORDER = (
    Companion.STATUS,
    Companion.REASON,
    Companion.E164,
    Companion.LINE_TYPE,
    Companion.SCREENED_VALUE,
    Companion.LAST_SCREENED,
)
_EMPTY = (None,) * len(_ORDER)


def _companions(verdict: Verdict | None, content: str) -> tuple[Value, ...]:
    """Return what the companions should hold, in their order here."""
    if verdict is None:
        return _EMPTY
    status, reason, e164, line_type, last_screened = verdict
    return str(status), reason, e164, line_type, screened_value(content), whole_seconds(last_screened)


def _normalized(view: RecordView, slot: Slot, verdict: Verdict) -> str | None:
    """Return the E.164 to put into the phone field, or None where it stays as it is.

    Only a certain number without extension or companions in the cell is rewritten: nothing a human typed gets lost.
    """
    if not slot.normalize or verdict.e164 is None or verdict.status is Status.INVALID:
        return None
    number = view.number(slot)
    if number.validity is not Validity.VALID or number.extension or number.others:
        return None
    return verdict.e164 if view.content(slot) != verdict.e164 else None


def same_value(held: Value, new: Value) -> bool:
    """Return whether a CRM field says the same: moments by the second, texts without surrounding white space."""
    if held == new:
        return True
    if held is None or new is None:
        other = new if held is None else held
        return isinstance(other, str) and not other.strip()
    if isinstance(held, datetime) and isinstance(new, datetime):
        return whole_seconds(held) == whole_seconds(new)
    if isinstance(new, bool) or isinstance(held, bool):
        return held is new
    return text(held) == text(new)
