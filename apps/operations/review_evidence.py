"""All that is known of the number of a review item, as one story: lookups, calls, messages, decisions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from ringfence.core.decisions.explaining import as_said
from ringfence.core.evidence.decided import DECIDED, OUTCOMES
from ringfence.core.evidence.signs import kind_of
from ringfence.core.model.review_items import Resolution, ReviewItem
from ringfence.core.numbers import mask_numbers
from ringfence.core.state.evidence import Evidence, latest_evidence
from ringfence.core.state.held_about import HeldAbout
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store

LOOKUP, DECISION = "lookup", "decision"

_NO_STORY = (*OUTCOMES, Resolution.ANSWERED)
"""Ends of items that are told by the evidence behind them."""

MOST_HEARD = 200
"""Calls and messages that are told of one number: the latest ones."""


class Told(NamedTuple):
    """What one source has told of a number at a moment (aware UTC).

    ``kind`` is lookup, call, message or decision. Other numbers in what was said are masked.
    """

    at: datetime
    kind: str
    source: str
    said: str


def list_told(store: Store, ledger: str, item: ReviewItem) -> list[Told]:
    """Return what is known of the number of an item, the oldest first; of an erased one only what was decided.

    Of calls and messages these are the latest :data:`MOST_HEARD`.
    """
    with store.transaction() as connection:
        told = [*_list_decided(connection, store, ledger, item), *_list_heard(connection, store, ledger, item)]
    if item.number.startswith("+"):
        looked_up = (as_said(source, answer) for source, answer in HeldAbout(store, item.number).answers())
        told += [Told(each.observed_at, LOOKUP, each.source, each.said) for each in looked_up]
    return sorted(told)


def _list_decided(connection: Connection, store: Store, ledger: str, item: ReviewItem) -> Iterator[Told]:
    for each in ReviewQueue(store.keyring, ledger).find_decided(connection, item.number_key):
        if each.resolution is None or each.resolved_at is None or each.resolution in _NO_STORY:
            continue
        yield Told(each.resolved_at, DECISION, each.author, _describe_decision(each.resolution.value, each.note))


def _list_heard(connection: Connection, store: Store, ledger: str, item: ReviewItem) -> Iterator[Told]:
    called = {outcome: resolution.value for resolution, outcome in OUTCOMES.items()}
    for each in latest_evidence(connection, store.keyring, item.number_key, MOST_HEARD, ledger):
        if each.code == DECIDED and each.outcome in called:
            yield Told(each.occurred_at, DECISION, each.source, _describe_decision(called[each.outcome], each.detail))
        else:
            yield Told(each.occurred_at, kind_of(each.outcome, each.channel).value, each.source, _describe(each))


def _describe(heard: Evidence) -> str:
    words = [heard.outcome.value if heard.outcome else "", heard.word.value if heard.word else ""]
    words = [word.replace("_", " ") for word in words if word] or ["wrote"]
    words += [f"code {heard.code}"] if heard.code else []
    words += [mask_numbers(text) for text in (heard.detail, repr(heard.said) if heard.said else "") if text]
    words += [f"on {heard.record}"] if heard.record else []
    return ", ".join(words)


def _describe_decision(what: str, note: str) -> str:
    return ": ".join(filter(None, (what.replace("_", " "), mask_numbers(note))))
