"""What a lookup was charged, where the provider tells it. Everything is pure."""

from __future__ import annotations

from .answers import OWN_CURRENCY, Answer
from .caps import in_micros


def find_charge(answer: Answer, price: int, currency: str) -> int:
    """Return what an answer was charged, in millionths of ``currency``, as ``price`` is, the set one.

    Nothing where it is not billed; else what the provider says that it took, if that is in this currency. An amount in
    another currency, or in one that nobody names, is not mixed in: the set price stands.
    """
    if not answer.paid:
        return 0
    if answer.cost is None or answer.currency not in (OWN_CURRENCY, currency):
        return price
    return in_micros(answer.cost)
