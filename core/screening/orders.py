"""Orders: questions that a provider has taken and answers later, fetched in this run or in a later one.

What was ordered is on record with the provider's own reference. So a run that dies loses no answer: the next one
fetches them, and nothing is bought twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice

from ..clock import whole_seconds
from ..errors import RingfenceError
from ..model.answers import Answer, AnswerKind, Order
from ..ports.lookup import Lookup, OrderingLookup
from ..ports.services import Clock
from ..state.kept_answers import ORDERED
from ..state.lookup_cache import LookupCache

logger = logging.getLogger(__name__)

FIRST_LOOK_S, LONGEST_LOOK_S = 1.0, 15.0
"""After how many seconds it is looked whether an order is answered: at first, and at most between two looks."""

ANSWERS = 500
"""Answers that are kept in one step."""

_IN_VAIN = (AnswerKind.LOST, AnswerKind.FAILED)


def collect(
    cache: LookupCache, clock: Clock, lookup: Lookup, orders: Sequence[Order], stopped: Callable[[], bool]
) -> Iterator[Answer]:
    """Yield the answers to orders as they come, each kept, for as long as the provider is waited for.

    What has not come by then stays on order: it yields an answer of kind PENDING for it. ``stopped`` ends the waiting.
    Raises what the provider raises; the orders stay on record then.
    """
    open_orders = {order.reference: set(order.numbers) for order in orders}
    ends = clock.monotonic() + (lookup.waits_s if isinstance(lookup, OrderingLookup) else 0.0)

    for look in count():
        for reference, numbers in list(open_orders.items()):
            for answer in fetch(cache, lookup, Order(reference, tuple(sorted(numbers)))):
                numbers.discard(answer.e164)
                yield answer
            if not numbers:
                del open_orders[reference]

        pause_s = min(FIRST_LOOK_S * 2.0**look, LONGEST_LOOK_S)
        if not open_orders or stopped() or clock.monotonic() + pause_s > ends:
            break
        clock.sleep(pause_s)

    for numbers in open_orders.values():
        for number in sorted(numbers):
            now = whole_seconds(clock.now())
            yield Answer(number, AnswerKind.PENDING, now, code=ORDERED, paid=True)


def fetch(cache: LookupCache, lookup: Lookup, order: Order) -> Iterator[Answer]:
    """Yield the answers to an order that are there, each kept; none while all are still to come."""
    if not isinstance(lookup, OrderingLookup):
        return
    answers = lookup.collect(order)
    while some := list(islice(answers, ANSWERS)):
        cache.record_answers(lookup.realm, [answer for answer in some if answer.kind not in _IN_VAIN])
        for answer in some:
            if answer.kind in _IN_VAIN:
                # The order is over and was paid for: who asks again pays again, and so nobody does unasked.
                cache.give_up_order(lookup.realm, answer.e164)
                yield Answer(answer.e164, AnswerKind.LOST, answer.observed_at, code=answer.code)
            else:
                yield answer


def fetch_earlier(cache: LookupCache, lookups: Sequence[Lookup], note: Callable[[str, Answer], None]) -> None:
    """Fetch what earlier runs have ordered, as far as it is there; nothing of it is counted as bought now.

    ``note`` is told the name of the provider and each answer.
    """
    for lookup in lookups:
        if not isinstance(lookup, OrderingLookup):
            continue
        for order in cache.open_orders(lookup.realm):
            try:
                fetched = 0
                for answer in fetch(cache, lookup, order):
                    note(lookup.name, answer)
                    fetched += 1
            except RingfenceError as fault:
                # By its kind only: the words are the provider's, and may name an account.
                logger.warning("%s does not tell what became of an order (%s)", lookup.name, type(fault).__name__)
                break
            if fetched:
                logger.info("%d answers of %s to an earlier order are there", fetched, lookup.name)
