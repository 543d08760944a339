"""What a list for a dialler or a marketing tool holds, and why it leaves the rest out. The rules stand here alone.

A filled slot belongs to one of three lists, or to none. It is *suppressed* where anything keeps it silent for the
channel that is asked for, whatever else is known of it: the record's own flag, a block on any of its numbers, or the
status that stands in the CRM. Else it is *callable* or *invalid* by its verdict, as long as that is about what the
slot holds now; a slot that nobody can dial is in neither (docs/contract.md, section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from ..model.blocks import SMS_ALONE, Block, BlockKind, BlockSource, Channel, blocked_channels, counts_as
from ..model.opt_outs import OptOuts
from ..model.reasons import with_messages_note
from ..model.record_view import RecordView, text
from ..model.shapes import ObjectShape, Slot
from ..model.values import Companion
from ..model.verdicts import CALLABLE, Status
from ..numbers.covers import CELL
from .consent import covers
from .coverage import is_silenced, read_opt_out, silence
from .messages import find_note
from .wrong_person import word_reason


class ExportList(StrEnum):
    """The lists that can be written."""

    CALLABLE = "callable"
    INVALID = "invalid"
    SUPPRESSED = "suppressed"
    QUIET = "quiet"  # callable, and nobody was reached for long: whom to ask anew

    __hash__ = str.__hash__


class LeftOut(StrEnum):
    """Why a filled slot is not on a list; one that is known to be dead is named by its status."""

    SUPPRESSED = "suppressed"
    CALLABLE = "callable"
    NOT_SCREENED = "not_screened"
    CHANGED = "changed_since_screened"
    NO_NUMBER = "no_number"  # nobody can tell what number it is, so nobody can ask whether it opted out
    NO_CONSENT = "no_consent"
    OUT_OF_FILTER = "out_of_filter"

    __hash__ = str.__hash__


class SlotStanding(NamedTuple):
    """What a filled slot is now: on one of the lists, or on none.

    ``out`` says why the others leave it out. ``number`` is E.164, empty where there is none. ``reason`` is as the
    companion would say it.
    """

    list: ExportList | None
    number: str
    status: str
    reason: str
    last_screened: datetime | None
    out: str = ""

    def left_out_of(self, wanted: ExportList) -> str:
        """Return why the slot is not on the list; empty where it is."""
        by_verdict = ExportList.CALLABLE if wanted is ExportList.QUIET else wanted
        return "" if self.list is by_verdict else self.out


class Use(NamedTuple):
    """What the numbers are for: the channel, and the purpose that the consent on record must cover, where one is named.

    ``now`` is the moment of it, in whole seconds UTC; ``org`` the key of the account that is read.
    """

    channel: Channel
    purpose: str | None
    now: datetime
    org: str


Found = Mapping[str, Sequence[Block]]
"""Number -> what blocks it, for the numbers by which an opt-out reaches a slot."""


def judge_slot(view: RecordView, slot: Slot, found: Found, use: Use, *, is_wrong_person: bool = False) -> SlotStanding:
    """Return what a filled slot is for this use; ``found`` is as :func:`count_as` has it.

    ``is_wrong_person``: somebody said that its number belongs to somebody else than the person on the record.
    """
    if (view.silenced or view.flagged or view.withdrawn or found) and _is_silent(view, slot, found, use):
        return _suppressed(view, slot, found, use)

    status, last = text(view.held(slot, Companion.STATUS)), view.held(slot, Companion.LAST_SCREENED)
    number = view.number(slot).e164 or ""
    moment = last if isinstance(last, datetime) else None
    verdict = SlotStanding(None, number, status, text(view.held(slot, Companion.REASON)), moment)

    if is_wrong_person:
        status = Status.WRONG_PERSON.value
        return verdict._replace(list=ExportList.INVALID, status=status, reason=word_reason(view, slot), out=status)
    if not view.record.in_scope:
        return verdict._replace(out=LeftOut.OUT_OF_FILTER)
    if not status or moment is None:
        return verdict._replace(out=LeftOut.NOT_SCREENED)
    # A word that is none of ours stands there by a human's hand: no verdict is about the content.
    if status not in _STATUSES or not view.is_current(slot) or text(view.held(slot, Companion.E164)) != number:
        return verdict._replace(out=LeftOut.CHANGED)
    if status not in CALLABLE:
        return verdict._replace(list=ExportList.INVALID, out=status)
    if not number:
        return verdict._replace(out=LeftOut.NO_NUMBER)
    if use.purpose is not None and not covers(view, use.purpose, use.now):
        return verdict._replace(out=LeftOut.NO_CONSENT)
    return verdict._replace(list=ExportList.CALLABLE, out=LeftOut.CALLABLE)


def _is_silent(view: RecordView, slot: Slot, found: Found, use: Use) -> bool:
    if is_held_silent(view, slot):
        return True
    blocks = chain(_own_blocks(view, use), chain.from_iterable(found.values()))
    return any(block.channel.blocks(use.channel) for block in blocks)


def is_held_silent(view: RecordView, slot: Slot) -> bool:
    """Return whether the slot's status says in the CRM that nobody may contact what it still holds."""
    if not is_silenced(view, slot):
        return False
    return view.is_current(slot) or text(view.held(slot, Companion.E164)) in view.e164s(slot)


def count_as(blocks: Iterable[Block], shape: ObjectShape) -> list[Block]:
    """Return the blocks as they count on an object's records: for every way where it has no flag for their channel."""
    return [each._replace(channel=counts_as(each.channel, shape.channels)) for each in blocks]


def _own_channels(view: RecordView) -> frozenset[Channel]:
    if view.flagged and not view.mutes:
        return SMS_ALONE
    return view.up


def _own_blocks(view: RecordView, use: Use) -> Iterator[Block]:
    """Yield what the record's own flags and consent block.

    A flag that was raised on account of messages is about them alone.
    """
    if view.withdrawn:
        yield Block(BlockKind.OPTED_OUT, Channel.ALL, BlockSource.CRM, use.org)
    for channel in _own_channels(view):
        yield Block(BlockKind.OPTED_OUT, channel, BlockSource.CRM, use.org)


def _suppressed(view: RecordView, slot: Slot, found: Found, use: Use) -> SlotStanding:
    """Return the standing of a silent slot: as its companions say where they say it, else as they will say it."""
    readings = [key for key in view.e164s(slot) if not key.startswith(CELL)]
    number = view.number(slot).e164 or next(iter(readings), "")
    last = view.held(slot, Companion.LAST_SCREENED)
    moment = last if isinstance(last, datetime) else None
    silent = SlotStanding(ExportList.SUPPRESSED, number, Status.DO_NOT_CONTACT, "", moment, LeftOut.SUPPRESSED)

    held = is_held_silent(view, slot)
    if held and read_opt_out(view, slot) is not None:
        return silent._replace(reason=text(view.held(slot, Companion.REASON)))

    opt_outs = _as_opt_outs(found, use)
    blocks = [*chain.from_iterable(found.values()), *_own_blocks(view, use)]
    if held or blocked_channels(blocks) != [Channel.SMS]:
        return silent._replace(reason=silence(view, slot, opt_outs, use.now).reason)
    # Who may be called but not texted keeps the status, and the reason says so (docs/contract.md, section 2).
    reason = with_messages_note(text(view.held(slot, Companion.REASON)), find_note(view, slot, opt_outs))
    return silent._replace(reason=reason, status=text(view.held(slot, Companion.STATUS)))


def _as_opt_outs(found: Found, use: Use) -> OptOuts:
    elsewhere = {key: block for key, blocks in found.items() for block in blocks if block.origin != use.org}
    channels = {key: frozenset(block.channel for block in blocks) for key, blocks in found.items()}
    partly = {key: those for key, those in channels.items() if Channel.ALL not in those}
    return OptOuts(frozenset(found), elsewhere=elsewhere, channels=partly)


_STATUSES = frozenset(map(str, Status))
