"""What a lookup was charged: by the provider's word where its currency is ours, else by the set price."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.core.model.answers import OWN_CURRENCY, Answer, AnswerKind
from ringfence.core.model.charges import find_charge
from ringfence.core.state.answer_codec import decode_answer, encode_answer

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SET = 10_000


def answer(cost: float | None, currency: str, *, paid: bool = True) -> Answer:
    """Return an answer that names this cost."""
    return Answer("+14155552671", AnswerKind.KNOWN, NOW, cost=cost, currency=currency, paid=paid)


@pytest.mark.parametrize(
    ("cost", "currency", "charged"),
    [
        (0.007, "USD", 7_000),
        (0.03, OWN_CURRENCY, 30_000),
        (0.0, "USD", 0),
        (0.007, "EUR", SET),
        (0.007, "", SET),
        (None, "USD", SET),
        (None, "", SET),
    ],
)
def test_only_an_amount_in_the_currency_of_the_caps_takes_the_place_of_the_price(
    cost: float | None, currency: str, charged: int
) -> None:
    assert find_charge(answer(cost, currency), SET, "USD") == charged


def test_what_is_not_billed_is_charged_nothing_whatever_it_says() -> None:
    assert find_charge(answer(0.5, "USD", paid=False), SET, "USD") == 0


def test_the_currency_of_a_cost_is_kept_with_the_answer() -> None:
    kept = decode_answer("+14155552671", AnswerKind.KNOWN, NOW, encode_answer(answer(0.5, "EUR")))

    assert (kept.cost, kept.currency, kept.paid) == (0.5, "EUR", False)
