"""What a person decides about items of the review queue, carried out with a note and an entry on the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from ringfence.core.clock import whole_seconds
from ringfence.core.decisions.reviewing import FITTING
from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.evidence.decided import keep_decision
from ringfence.core.evidence.intake import EvidenceIntake
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry, RecordName
from ringfence.core.model.review_items import Resolution, ReviewItem, ReviewReason
from ringfence.core.numbers import mask
from ringfence.core.state.audit import Act, AuditAction, AuditLog
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.heard_signals import take_turns
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store

from ..config_files import find_evidence_rules
from ..wiring import Wiring
from .accounts import name_of_org
from .door import Door
from .lifting import lift_number
from .reviews import find_records, show_number, unknown_item
from .suppression import ledger_of, read_reason


class Resolved(NamedTuple):
    """How many items were resolved, and how many of them wait for a second person to agree."""

    items: int
    second_person: int = 0


def resolve_reviews(
    wiring: Wiring,
    ids: Sequence[int],
    resolution: Resolution,
    note: str,
    door: Door,
    *,
    reason: ReviewReason | None = None,
) -> Resolved:
    """Resolve the items with these ids, or all that wait for one reason, and return how many that were.

    What keeps an opt-out up changes nothing in a CRM; ``lift`` ends the opt-out as `suppress lift` does. ``live`` and
    ``dead`` are evidence by whoever is at the door, which the next sync carries to the records. ``opted_out`` blocks a
    number, and ``wrong_person`` says of every record known to hold it that it is somebody else's. An item that was
    resolved in the same way before is left as it is. Where the settings ask for four eyes, a lift by the first person
    leaves the item open.

    Raises UsageError for an id that is not there, one that was resolved otherwise, and a decision that does not fit.
    """
    note = read_reason(note)
    if bool(ids) == (reason is not None):
        raise UsageError("It is not clear which items are meant.", code=ErrorCode.REVIEW_AMBIGUOUS)

    with closing(wiring.open_state()) as store:
        queue = ReviewQueue(store.keyring, ledger_of(wiring))
        with store.transaction() as connection:
            items = queue.list_open(connection, reason) if reason else _find(queue.find(connection, ids), ids)
        _refuse_unfit(items, resolution)
    waiting, first = [item for item in items if item.resolution is None], 0
    if resolution is Resolution.LIFT and wiring.settings.review.four_eyes:
        waiting, first = _ask_for_second(wiring, waiting, note, door)
    if resolution is Resolution.LIFT:
        _lift(wiring, waiting, note, door)

    with closing(wiring.open_state()) as store:
        named = {item.id: _name_records(wiring, store, item) for item in waiting if not item.org}
        if resolution is Resolution.WRONG_PERSON and not all(named.values()):
            raise UsageError(
                "No record is known to hold the number: it can be nobody else's there.",
                f"Resolve as {Resolution.OPTED_OUT.value} or {Resolution.DISMISS.value}.",
            )
        _resolve(wiring, store, waiting, resolution, note, door, named)
    return Resolved(len(waiting), first)


def _ask_for_second(wiring: Wiring, items: Sequence[ReviewItem], note: str, door: Door) -> tuple[list[ReviewItem], int]:
    """Return the items that another person has agreed to lift, and how many wait for a second one; record the first."""
    agreed = [item for item in items if item.agreed_by not in ("", door.author)]
    open_ = [item for item in items if item not in agreed]
    new = [item for item in open_ if not item.agreed_by]
    now = whole_seconds(wiring.clock.now())
    with closing(wiring.open_state()) as store, store.transaction() as connection:
        ReviewQueue(store.keyring, ledger_of(wiring)).agree(connection, [item.id for item in new], door.author)
        for item in new:
            subject = f"{_name(item)}: lift, needs a second person"
            AuditLog(store.keyring).append(connection, Act(now, door.author, AuditAction.RESOLVE, subject, note))
    return agreed, len(open_)


def _name(item: ReviewItem) -> str:
    return f"review item {item.id} ({item.reason.value}, {show_number(item)})"


def _name_records(wiring: Wiring, store: Store, item: ReviewItem) -> list[RecordName]:
    with store.transaction() as connection:
        found = find_records(connection, wiring, item)
    return [each._replace(account=name_of_org(wiring, store, each.account)) for each in found]


def _find(found: Sequence[ReviewItem], ids: Iterable[int]) -> Sequence[ReviewItem]:
    unknown = sorted(set(ids) - {item.id for item in found})
    if unknown:
        raise unknown_item(unknown[0])
    return found


def _refuse_unfit(items: Iterable[ReviewItem], resolution: Resolution) -> None:
    for item in items:
        fitting = FITTING.get(item.reason, ())
        if resolution not in fitting:
            raise UsageError(
                f"Item {item.id} ({item.reason.value}) cannot be resolved as {resolution.value}.",
                f"Give one of {', '.join(fitting)}.",
            )
        if item.resolution not in (None, resolution):
            raise UsageError(
                f"Item {item.id} was resolved as {item.resolution} before, and stays so.",
                code=ErrorCode.REVIEW_DECIDED,
            )


def _lift(wiring: Wiring, items: Iterable[ReviewItem], note: str, door: Door) -> None:
    """Lift the blocks on the numbers of the items; who says so has seen them in the queue, and is not asked again."""
    agreed = replace(door, confirm=lambda _question: None)
    for number in dict.fromkeys(item.number for item in items):
        done = lift_number(wiring, number, note, agreed)
        if done.lifted.error is not None:
            raise done.lifted.error
        if done.left:
            raise UsageError(
                f"{mask(number)} is still kept silent: by a list, or by an account that could not be reached here.",
                code=ErrorCode.REVIEW_DECIDED,
            )


def _resolve(
    wiring: Wiring,
    store: Store,
    items: Sequence[ReviewItem],
    resolution: Resolution,
    note: str,
    door: Door,
    named: Mapping[int, Sequence[RecordName]],
) -> None:
    now = whole_seconds(wiring.clock.now())
    rules = find_evidence_rules(wiring.settings.mappings)
    with store.transaction() as connection:
        take_turns(connection, store.keyring, {item.number for item in items if item.number})
        queue = ReviewQueue(store.keyring, ledger_of(wiring))
        queue.resolve(connection, [item.id for item in items], resolution, door.author, now, note)
        intake = EvidenceIntake(store.keyring, ledger_of(wiring), rules, now)
        for item in items:
            keep_decision(connection, intake, item, resolution, door.author, note)
            for new in _entries_of(wiring, item, resolution, note, door, now, named.get(item.id, ())):
                _add(connection, store, ledger_of(wiring), item, new, now)
            both = f", agreed to by {item.agreed_by} before" if resolution is Resolution.LIFT and item.agreed_by else ""
            subject = f"{_name(item)}: {resolution.value}{both}"
            AuditLog(store.keyring).append(connection, Act(now, door.author, AuditAction.RESOLVE, subject, note))


def _entries_of(
    wiring: Wiring,
    item: ReviewItem,
    resolution: Resolution,
    note: str,
    door: Door,
    now: datetime,
    records: Sequence[RecordName],
) -> list[NewEntry]:
    """Return what a decision about a number puts on the ledger; about a record's flag nothing."""
    if item.org or resolution not in (Resolution.OPTED_OUT, Resolution.WRONG_PERSON):
        return []
    by_message = item.channel is Channel.SMS
    covers = Channel(wiring.settings.signals.stop_covers.value) if by_message else Channel.ALL
    person = BlockSource.PERSON
    if resolution is Resolution.OPTED_OUT:
        # Since it was asked for, and not since somebody read it: the law's clock has been running.
        since = min(item.since, now)
        return [NewEntry(item.number, BlockKind.OPTED_OUT, covers, person, note, door.author, since)]
    wrong = NewEntry(item.number, BlockKind.WRONG_PERSON, Channel.ALL, person, note, door.author, now)
    return [wrong._replace(record=record) for record in records]


def _add(connection: Connection, store: Store, ledger: str, item: ReviewItem, new: NewEntry, now: datetime) -> None:
    blocks = Blocks(store.keyring, ledger)
    if item.number:
        blocks.add(connection, new)
    else:
        blocks.add_under(connection, item.number_key, new)
    subject = f"{show_number(item)} ({new.kind.value}, {new.channel.value})"
    AuditLog(store.keyring).append(connection, Act(now, new.author, AuditAction.ADD, subject, new.reason))
