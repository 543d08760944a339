"""What a provider says that an answer took settles the caps, in the currency of the caps alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli

NUMBERS = [f"+1415555{last:04}" for last in range(2671, 2691)]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=5, lookups=True) as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_COST_PER_DAY", "0.2")


def buy_until_refused(cli: Any) -> int:
    """Look numbers up, each in a run of its own, until the day's money is used up; return how many were bought."""
    for bought, number in enumerate(NUMBERS):
        result = cli("lookup", number, "--json")
        if result.code != 0:
            assert (result.code, result.document["code"]) == (4, "lookup_day_used_up")
            return bought
    raise AssertionError("no cap has ended it")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provider", "currency", "own", "bought"),
    [
        ("vonage-number-insight", "EUR", None, 3),  # 0.04 each, as answered; behind 0.12 there is no room for 0.10
        ("vonage-number-insight", "USD", None, 2),
        ("hlr-lookups", "EUR", "EUR", 11),  # 0.01 each
        ("hlr-lookups", "EUR", "USD", 2),
        ("hlr-lookups", "EUR", None, 2),
    ],
)
def test_a_day_s_money_is_settled_by_what_was_charged_and_currencies_are_not_mixed(
    cli: Cli,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    currency: str,
    own: str | None,
    bought: int,
) -> None:
    group = provider.upper().replace("-", "_")
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", f'["{provider}"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__CURRENCY", currency)
    monkeypatch.setenv(f"RINGFENCE_{group}__PRICE", "0.1")
    if own is not None:
        monkeypatch.setenv(f"RINGFENCE_{group}__CURRENCY", own)

    assert buy_until_refused(cli) == bought
    assert sandbox.lookups.billed_by(provider).total() == bought


def test_the_cost_that_is_shown_is_the_one_that_was_charged(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["vonage-number-insight"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__CURRENCY", "EUR")
    monkeypatch.setenv("RINGFENCE_VONAGE_NUMBER_INSIGHT__PRICE", "0.1")

    told = cli("lookup", NUMBERS[0], "--explain", "--json").document

    assert told["explanation"]["cost"] == 0.04
