"""The one place where a write is decided: a record and its verdicts in, a change or nothing out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..clock import whole_seconds
from ..model.blocks import EVERY_WAY, Channel
from ..model.record_view import RecordView, screened_value, text
from ..model.shapes import Slot
from ..model.values import Change, Companion, Value
from ..model.verdicts import Status, Verdict
from ..numbers import Validity


def plan_change(
    view: RecordView,
    verdicts: Mapping[str, Verdict | None],
    *,
    raise_flag: bool = False,
    blocks: frozenset[Channel] = EVERY_WAY,
    again: bool = False,
) -> Change | None:
    """Return the write that brings the record in line with the verdicts, or None when nothing differs.

    ``verdicts`` holds a verdict for each slot that was screened, by field name; None empties the companions of a slot
    without content. Slots that are not named keep what they hold. Only owned fields are touched
    (contract.md, section 2), and a flag is only ever raised: those that blocks of the channels ``blocks`` reach.
    With ``again`` what people asked for on the record itself is put up: in flags of just those channels, because a flag
    of every way that goes up for messages would read as theirs.
    """
    names, wanted, guard = _desired_values(view, verdicts)
    for flag in view.shape.lowered_flags(view.record) if raise_flag else ():
        if view.shape.is_for(blocks, flag) if again else view.shape.reached_by(blocks, flag):
            names.append(flag.field)
            wanted.append(flag.raise_over(view.record.values.get(flag.field)))

    record = view.record
    changed = _find_differences(record.values, names, wanted)
    if not changed:
        return None
    fields, olds, news = zip(*changed, strict=True)
    return Change(record.object, record.id, fields, olds, news, guard, record.modified)


def _desired_values(
    view: RecordView, verdicts: Mapping[str, Verdict | None]
) -> tuple[list[str], list[Value], dict[str, Value]]:
    """Return the fields of the screened slots, the value that each should hold, and the precondition of the write."""
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
    return names, wanted, guard


def _find_differences(
    held: Mapping[str, Value], names: list[str], wanted: list[Value]
) -> list[tuple[str, Value, Value]]:
    """Return (field, old value, new value) for each field that does not hold what is wanted.

    Most fields of a first screening are empty, and an empty field differs from every value that is not: to see that
    here, without a call of :func:`same_value`, spares most of the calls.
    """
    return [
        (name, old, new)
        for name, old, new in zip(names, map(held.get, names), wanted, strict=True)
        if ((new.strip() if new.__class__ is str else new is not None) if old is None else not same_value(old, new))
    ]


_ORDER = (
    Companion.STATUS,
    Companion.REASON,
    Companion.E164,
    Companion.LINE_TYPE,
    Companion.SCREENED_VALUE,
    Companion.LAST_SCREENED,
)
_EMPTY = (None,) * len(_ORDER)

# A content of these signs holds no word, no apostrophe of a spreadsheet and no second line.
_NUMBER_ALONE = frozenset("0123456789 +-./()[]\u00a0")


def _companions(verdict: Verdict | None, content: str) -> tuple[Value, ...]:
    """Return what the companions of a slot should hold, in the order of ``_ORDER``."""
    if verdict is None:
        return _EMPTY
    status, reason, e164, line_type, last_screened = verdict
    return str(status), reason, e164, line_type, screened_value(content), whole_seconds(last_screened)


def _normalized(view: RecordView, slot: Slot, verdict: Verdict) -> str | None:
    """Return the E.164 number to write into the phone field, or None where the field stays as it is."""
    if verdict.e164 is None or verdict.status is Status.INVALID:
        return None
    return verdict.e164 if find_rewrite(view, slot) == verdict.e164 else None


def find_rewrite(view: RecordView, slot: Slot) -> str | None:
    """Return the E.164 number that `normalize` writes into the phone field; None where the field stays as it is.

    Only a cell whose whole text is one certain number that needed no repair is rewritten (contract.md, section 2): what
    else a person typed would be lost, and a repair may have gone wrong. A number that stood there in E.164 when it was
    screened, and was written in another way since, stays too: a CRM that formats its phone fields would do so again.
    """
    if not slot.normalize:
        return None

    number, content = view.number(slot), view.content(slot)
    if view.record.values.get(slot.companions[Companion.SCREENED_VALUE]) == number.e164:
        return None
    certain = number.validity is Validity.VALID and not (number.repairs or number.extension or number.others)
    if not certain or not _NUMBER_ALONE.issuperset(content) or content == number.e164:
        return None
    return number.e164


def same_value(held: Value, new: Value) -> bool:
    """Return whether two values of a CRM field are the same: moments by the second, texts without white space around.

    No value and a blank text are the same.
    """
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
