"""What an opt-out covers, and what keeps a slot silent. The rules stand here alone.

An opt-out covers a slot in one of two ways: the record's own flag is up, or its consent was withdrawn, which silences
all its slots; or another record's opt-out covers a number that the slot holds, the screened one or a further one in the
same field. A record that holds a covered number in any slot is *reached*: its own flag is to be raised, and then that
covers its other slots. So is one whose consent was withdrawn. A flag that ringfence raised in this way is *derived*: it
covers nobody else's numbers.

What nobody covers any more stays silent until somebody has lifted it: a slot that says ``do_not_contact`` is itself
evidence of an opt-out, and its reason tells whose (:func:`stays_silent`).

``covered`` is everywhere the set of numbers that the opt-outs of other records cover.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from ..model.blocks import EVERY_WAY, NO_WAY, Channel
from ..model.opt_outs import OptOuts
from ..model.reasons import Reason, parse_reason, with_kept_note
from ..model.record_view import RecordView, text
from ..model.shapes import ObjectShape, Slot, Spread
from ..model.values import Companion, Value
from ..model.verdicts import Facts, OptOut, Status, Verdict, judge, offline_facts, with_opt_out
from ..numbers import Number, ReasonCode, mask
from ..numbers.covers import CELL

_EARLIER = "a number that this one held"
_UNREADABLE = "an unreadable entry"


def is_covered(view: RecordView, slot: Slot, covered: AbstractSet[str]) -> bool:
    """Return whether an opt-out covers the slot: the record's own flag or consent, or another's on the same number.

    ``covered`` are the numbers that :meth:`ringfence.core.model.opt_outs.OptOuts.silencing` names for the record.
    """
    return view.mutes or view.withdrawn or (bool(covered) and not covered.isdisjoint(view.e164s(slot)))


def is_record_covered(view: RecordView, covered: AbstractSet[str]) -> bool:
    """Return whether an opt-out covers any slot of the record; ``covered`` as in :func:`is_covered`."""
    return view.mutes or view.withdrawn or (bool(covered) and not covered.isdisjoint(view.all_e164s()))


def is_silent(view: RecordView, slot: Slot, opt_outs: OptOuts) -> bool:
    """Return whether nobody may contact the slot: an opt-out covers it, or nobody has lifted the one that did."""
    return is_covered(view, slot, opt_outs.silencing(view.shape)) or stays_silent(view, slot, opt_outs)


def may_be_silent(view: RecordView, opt_outs: OptOuts) -> bool:
    """Return whether :func:`is_silent` may be true of any slot of the record: of nearly all records it is of none."""
    return view.silenced or is_record_covered(view, opt_outs.covered)


def stays_silent(view: RecordView, slot: Slot, opt_outs: OptOuts) -> bool:
    """Return whether a slot that no opt-out is known to cover stays silent, because nobody has lifted what silenced it.

    Its own opt-out is lifted by its own flag, which is there to be seen; another record's by somebody who lowered that
    record's flag, or this one's. An opt-out on what the slot held before says nothing of what it holds now.
    """
    if not view.silenced or not is_silenced(view, slot) or not is_about_present_number(view, slot):
        return False
    if view.key in opt_outs.released:
        return False

    reason = read_opt_out(view, slot)
    if reason is None:
        return True
    if not reason.shared:
        return not view.shape.opt_outs
    if reason.consent:
        return not view.consents()
    return opt_outs.lifted.isdisjoint(view.all_e164s() if reason.opted_out_via else view.e164s(slot))


def is_silenced(view: RecordView, slot: Slot) -> bool:
    """Return whether the slot's status says that nobody may contact it."""
    return view.record.values.get(slot.companions[Companion.STATUS]) == Status.DO_NOT_CONTACT


def is_about_present_number(view: RecordView, slot: Slot) -> bool:
    """Return whether the slot's verdict is about the number that the slot holds, however that is written by now."""
    return view.is_current(slot) or text(view.held(slot, Companion.E164)) in view.e164s(slot)


def read_opt_out(view: RecordView, slot: Slot) -> Reason | None:
    """Return what the slot's reason says of an opt-out; None where it speaks of none, or not in our words."""
    reason = parse_reason(text(view.held(slot, Companion.REASON)))
    return reason if reason is not None and reason.code is ReasonCode.OPTED_OUT else None


def find_said(view: RecordView) -> OptOut:
    """Return whose opt-out the record's silenced slots name: its own where any does, else another record's, if any."""
    said = OptOut.NONE
    for slot in view.shape.slots:
        if is_silenced(view, slot) and (reason := read_opt_out(view, slot)) is not None:
            if not reason.shared:
                return OptOut.OWN
            said = OptOut.SHARED
    return said


def names_wrong_source(view: RecordView, slot: Slot, opt_outs: OptOuts) -> bool:
    """Return whether the reason of a silenced slot names another source of silence than the one there is.

    What it says of lifting would lead nowhere, as once a flag is lowered that a person's entry outlives.
    """
    covered = opt_outs.silencing(view.shape)
    if covered.isdisjoint(view.all_e164s()):
        return False
    reason = read_opt_out(view, slot)
    if reason is None or not reason.shared:
        return False
    if reason.consent or view.withdrawn:
        return reason.consent is not view.withdrawn
    block = opt_outs.elsewhere.get(_find_related_number(view, slot, covered)[0])
    return reason.block is not (block.source if block else None)


def names_wrong_flag(view: RecordView, slot: Slot, opt_outs: OptOuts) -> bool:
    """Return whether the reason of a silenced slot tells falsely who raised its record's flag.

    It is what tells derived flags apart where the state is lost.
    """
    if not view.mutes:
        return False
    reason = read_opt_out(view, slot)
    return reason is not None and reason.shared is not (view.key in opt_outs.derived)


def has_opt_out_history(view: RecordView) -> bool:
    """Return whether it matters what became of the record's flag: it is up, or a slot says that it may have been."""
    return view.flagged or view.silenced or view.shape.has_sms or view.shape.ratchet


def can_raise_flag(view: RecordView) -> bool:
    """Return whether the record has a flag that ringfence may raise and that is not up, and opt-outs spread by it."""
    return has_lowered_flag(view) and view.shape.spread is Spread.FLAGS


def has_lowered_flag(view: RecordView) -> bool:
    """Return whether the record has an opt-out flag that is down and that ringfence may raise."""
    return bool(view.shape.lowered_flags(view.record))


def is_reached(view: RecordView, opt_outs: OptOuts) -> bool:
    """Return whether the record's flag is still to be raised, for its consent or another record's opt-out."""
    # The numbers first: they are quickly compared, and rule out nearly all records.
    if not view.withdrawn and opt_outs.covered.isdisjoint(view.all_e164s()):
        return False
    return can_raise_flag(view) and bool(find_unraised(view, opt_outs, view.all_e164s()))


def find_unraised(view: RecordView, opt_outs: OptOuts, numbers: Iterable[str]) -> frozenset[Channel]:
    """Return the channels of the blocks on these numbers of the record for which a flag of it is still to be raised.

    What somebody asked for on the record itself reaches other records; here that person chose the flag. Withdrawn
    consent is about every way.
    """
    shape, blocks = view.shape, EVERY_WAY if view.withdrawn else NO_WAY
    for number in numbers:
        if number in opt_outs.covered:
            blocks |= opt_outs.channels.get(number, EVERY_WAY)

    if view.flagged and view.key not in opt_outs.derived:
        own = {flag.channel for flag in shape.opt_outs if flag.ours and flag.channel in view.up}
        blocks = NO_WAY if Channel.ALL in own else blocks - own
    lowered = shape.lowered_flags(view.record)
    return frozenset(each for each in blocks if any(shape.reached_by((each,), flag) for flag in lowered))


def find_kept(views: Iterable[RecordView], opt_outs: OptOuts) -> frozenset[tuple[str, str]]:
    """Return the records on which a flag is down that somebody raised, and the mapping says that it goes up again."""
    return frozenset(
        view.key
        for view in views
        if view.shape.ratchet and (opt_outs.asking.get(view.key, NO_WAY) & view.shape.channels) - view.up
    )


def speaks_under_its_flag(view: RecordView) -> bool:
    """Return whether the record's own flag is up and the companions of a filled slot do not say so yet."""
    return view.mutes and any(
        not is_silenced(view, slot) or not view.is_current(slot) for slot in view.shape.slots if view.content(slot)
    )


def silence(view: RecordView, slot: Slot, opt_outs: OptOuts, now: datetime) -> Verdict:
    """Return the verdict on a slot that is silent, or that the record's flag will silence once it is raised.

    ``now`` is in whole seconds UTC: the time at which the opt-out was seen. The record's own flag is named as the
    reason before any other record's, unless ringfence raised it. A slot that merely stays silent keeps its reason.
    """
    facts = offline_facts(view.number(slot), now)
    derived = view.key in opt_outs.derived
    if (view.mutes and not derived) or view.key in opt_outs.heirs:
        verdict = judge(with_opt_out(facts, OptOut.OWN, now))
        if view.key not in opt_outs.kept:
            return verdict
        return verdict._replace(reason=with_kept_note(verdict.reason))
    if view.withdrawn:
        return judge(with_opt_out(facts, OptOut.CONSENT, now))

    covered = opt_outs.silencing(view.shape)
    if not covered.isdisjoint(view.all_e164s()):
        number, related = _find_related_number(view, slot, covered)
        return judge(with_opt_out(facts, OptOut.SHARED, now, related, opt_outs.elsewhere.get(number)))

    verdict = judge(with_opt_out(facts, OptOut.SHARED, now, _EARLIER))
    kept = text(view.held(slot, Companion.REASON))
    holds = is_silenced(view, slot) and is_about_present_number(view, slot)
    return verdict._replace(reason=kept) if kept and holds and not names_wrong_flag(view, slot, opt_outs) else verdict


def describe_related_number(view: RecordView, slot: Slot, covered: AbstractSet[str]) -> str:
    """Return the number, masked, and the field by which another record's opt-out reaches a slot.

    Empty where it comes by the slot's own number, which needs no naming.
    """
    return _find_related_number(view, slot, covered)[1]


def _find_related_number(view: RecordView, slot: Slot, covered: AbstractSet[str]) -> tuple[str, str]:
    """Return the number by which an opt-out reaches a slot, and how :func:`describe_related_number` names it."""
    own = next(iter(view.e164s(slot)), None)
    if own in covered:
        return own or "", ""

    for other in (slot, *view.shape.slots):
        if (key := find_covered(view.e164s(other), covered)) is not None:
            return key, f"{_UNREADABLE if key.startswith(CELL) else mask(key)} in {other.field}"
    return "", ""


def find_opt_out(number: Number, covered: Collection[str], now: datetime) -> Facts | None:
    """Return the facts of a number under an opt-out on it, or on a further number in its cell; None without one.

    This is the rule for numbers that stand in no record of a CRM. ``covered`` may be a mapping that tells what covers
    each. ``now`` is in whole seconds UTC.
    """
    found = find_covered(number.all_e164s(), covered)
    if found is None:
        return None
    opted_out_via = "" if found == number.e164 else mask(found)
    block = covered[found] if isinstance(covered, Mapping) else None
    return with_opt_out(offline_facts(number, now), OptOut.SHARED, now, opted_out_via, block)


def find_covered(numbers: Iterable[str], covered: Collection[str]) -> str | None:
    """Return the first of the E.164 numbers that an opt-out covers, or None."""
    return next((e164 for e164 in numbers if e164 in covered), None)


def silenced_slots(shape: ObjectShape, values: Mapping[str, Value]) -> Iterator[Slot]:
    """Yield the slots whose status is ``do_not_contact`` among these values by field name."""
    for slot in shape.slots:
        if values.get(slot.companions[Companion.STATUS]) == Status.DO_NOT_CONTACT:
            yield slot
