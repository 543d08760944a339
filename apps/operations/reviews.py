"""What waits for a person's decision, listed and shown for a door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from ringfence.core.config.clocks import Clocks
from ringfence.core.decisions.reviewing import ABOUT_LINES, describe_decisions
from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.model.blocks import RecordName
from ringfence.core.model.review_items import Resolution, ReviewItem, ReviewReason
from ringfence.core.model.values import ERASED
from ringfence.core.numbers import mask, read_number
from ringfence.core.state.holdings import list_holders
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store

from ..config_files import find_clocks
from ..wiring import Wiring
from .accounts import name_of_org
from .review_evidence import Told, list_told
from .suppression import ledger_of

MOST_RECORDS = 100
"""Records of a number that an item names, and that `wrong_person` is about: more make a switchboard."""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item of the queue for a person, the number masked.

    ``records`` are the one that it is about, or those that are known to hold its number, each by its account's name as
    commands call it. ``deadline`` is the last day for it by the law of the number's country, None where no clock gives
    one.
    """

    item: ReviewItem
    number: str
    records: Sequence[RecordName] = ()
    deadline: date | None = None


@dataclass(frozen=True, slots=True)
class WholeItem:
    """An item with all that is known of its number, the oldest first, and what each fitting decision would do."""

    shown: ShownItem
    told: Sequence[Told]
    decisions: Mapping[Resolution, str]


def list_reviews(
    wiring: Wiring, reason: ReviewReason | None = None, *, since: datetime | None = None, limit: int | None = None
) -> list[ShownItem]:
    """Return what waits for a decision, the oldest first. Raises the errors of the wiring.

    ``since`` (aware UTC) leaves out what has waited for longer; ``limit`` is how many at most, None: all.
    """
    store = wiring.open_state_if_there()
    if store is None:
        return []
    with closing(store):
        with store.transaction() as connection:
            queue = ReviewQueue(store.keyring, ledger_of(wiring))
            items = queue.list_open(connection, reason, since=since, limit=limit)
        return _show(wiring, store, items)


def show_review(wiring: Wiring, id_: int) -> WholeItem:
    """Return one item with all that is known of its number, resolved or not.

    Raises UsageError where there is none with this id, and the errors of the wiring.
    """
    store = wiring.open_state_if_there()
    if store is None:
        raise unknown_item(id_)
    with closing(store):
        with store.transaction() as connection:
            found = ReviewQueue(store.keyring, ledger_of(wiring)).find(connection, [id_])
        if not found:
            raise unknown_item(id_)
        (shown,) = _show(wiring, store, found)
        told = list_told(store, ledger_of(wiring), shown.item)
    return WholeItem(shown, told, describe_decisions(shown.item, len(shown.records)))


def unknown_item(id_: int) -> UsageError:
    """Return the error for an item that is not there."""
    return UsageError(f"No item {id_} is there.", code=ErrorCode.REVIEW_NOT_FOUND)


def show_number(item: ReviewItem) -> str:
    """Return the number of an item as people may see it."""
    return mask(item.number) if item.number else ERASED


def _show(wiring: Wiring, store: Store, items: Sequence[ReviewItem]) -> list[ShownItem]:
    with store.transaction() as connection:
        held = {item.id: find_records(connection, wiring, item) for item in items}
    names = {org: name_of_org(wiring, store, org) for org in {each.account for all_ in held.values() for each in all_}}
    clocks = find_clocks(wiring.settings.mappings) if items else Clocks()
    return [
        ShownItem(
            item,
            show_number(item),
            [each._replace(account=names[each.account]) for each in held[item.id]],
            _find_deadline(clocks, item),
        )
        for item in items
    ]


def find_records(connection: Connection, wiring: Wiring, item: ReviewItem) -> list[RecordName]:
    """Return the records of an item, by the keys of their accounts."""
    if item.org:
        return [RecordName(item.org, item.object, item.record_id)]
    held = list_holders(connection, ledger_of(wiring), [item.number_key], MOST_RECORDS)
    return [RecordName(*each) for each in held]


def _find_deadline(clocks: Clocks, item: ReviewItem) -> date | None:
    """Return the last day for honouring what the item may have asked for; None where nobody can have asked."""
    if item.reason in ABOUT_LINES:
        return None
    region = read_number(item.number, None).region if item.number.startswith("+") else None
    return clocks.request_deadline(region, item.since) if region else None
