"""What every provider must do that takes many numbers as an order, against the stand-in of the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from ringfence.core.errors import QuotaError, RingfenceError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind, Order
from ringfence.core.ports.lookup import OrderingLookup
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.lookups.state import VOICES
from ringfence.sandbox.server import Sandbox

from .providers.on_sandbox import SandboxProviderHarness

TAKE_ORDERS = ("bandwidth", "clearoutphone")
NUMBERS = [f"+1415555{n:04}" for n in range(100, 220)]
"""More than any of them takes without an order."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=1, lookups=True) as made:
        yield made


@pytest.fixture(params=TAKE_ORDERS)
def provider(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[SandboxProviderHarness]:
    """Give each provider that takes orders, with accounts as they are on the first day."""
    made = SandboxProviderHarness(sandbox, request.param)
    for kept in (made.accounts.billed, made.accounts.credit, made.accounts.answers):
        kept.clear()
    sandbox.faults = None
    yield made
    made.close()
    sandbox.faults = None


def connect(provider: SandboxProviderHarness) -> OrderingLookup:
    lookup = provider.connect()
    assert isinstance(lookup, OrderingLookup)
    return lookup


def collect(lookup: OrderingLookup, order: Order) -> dict[str, Answer]:
    """Return the answers to an order; they are there at the second look."""
    assert list(lookup.collect(order)) == []
    return {answer.e164: answer for answer in lookup.collect(order)}


def spoil(provider: SandboxProviderHarness, when: str, fault: str) -> None:
    """Let a request of the provider go wrong."""
    rule = f"{{service: lookups, when: {{{when}}}, fault: {{{fault}}}}}"
    provider.sandbox.faults = parse_faults(f"rules: [{rule}]", "test")


def test_no_provider_that_takes_orders_escapes(sandbox: Sandbox) -> None:
    harnesses = [SandboxProviderHarness(sandbox, name) for name in sorted(VOICES)]

    found = [each.name for each in harnesses if isinstance(each.connect(), OrderingLookup)]

    for each in harnesses:
        each.close()
    assert tuple(found) == TAKE_ORDERS


def test_many_numbers_are_one_order_that_anybody_can_fetch(provider: SandboxProviderHarness) -> None:
    provider.accounts.answers[NUMBERS[5]] = {"valid": False}

    (order,) = connect(provider).look_up([*NUMBERS, *NUMBERS])
    assert isinstance(order, Order)
    answers = collect(connect(provider), order)

    assert sorted(answers) == NUMBERS
    assert [number for number, answer in answers.items() if answer.validity == "invalid"] == [NUMBERS[5]]
    assert not [answer for answer in answers.values() if answer.kind in (AnswerKind.LOST, AnswerKind.FAILED)]
    assert Counter(provider.sent()) == Counter(NUMBERS)


def test_an_account_without_the_credit_for_an_order_buys_nothing(provider: SandboxProviderHarness) -> None:
    provider.accounts.credit[provider.name] = len(NUMBERS) - 1

    with pytest.raises(QuotaError):
        list(connect(provider).look_up(NUMBERS))

    assert provider.sent() == []


@pytest.mark.parametrize(
    "fault", ["kind: refuse, status: 502, after_commit: true", "kind: truncate", "kind: reset, after_commit: true"]
)
def test_an_order_that_is_lost_on_the_way_is_placed_once(provider: SandboxProviderHarness, fault: str) -> None:
    spoil(provider, "nth: 1", fault)
    asking = connect(provider).look_up(NUMBERS)

    answers = [next(asking) for _ in NUMBERS]
    with pytest.raises(UnreachableError):
        next(asking)

    assert {each.kind for each in answers if isinstance(each, Answer)} == {AnswerKind.LOST}
    assert Counter(provider.sent()) == Counter(NUMBERS)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize(
    "fault",
    ["kind: refuse, status: 502", "kind: truncate", "kind: reset", "kind: refuse, status: 429, retry_after: 3",
     "kind: refuse, status: 503"],
)  # fmt: skip
def test_a_fault_while_answers_are_fetched_costs_nothing_and_is_overcome(
    provider: SandboxProviderHarness, fault: str, at: int
) -> None:
    lookup = connect(provider)
    (order,) = lookup.look_up(NUMBERS)
    assert isinstance(order, Order)
    assert list(lookup.collect(order)) == []

    spoil(provider, f"nth: {at}", fault)
    answers = {answer.e164: answer for answer in lookup.collect(order)}

    assert sorted(answers) == NUMBERS
    assert {answer.kind for answer in answers.values()} <= {AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE}
    assert Counter(provider.sent()) == Counter(NUMBERS)


def test_no_number_and_no_credential_reaches_an_error_while_answers_are_fetched(
    provider: SandboxProviderHarness, caplog: pytest.LogCaptureFixture
) -> None:
    lookup = connect(provider)
    (order,) = lookup.look_up(NUMBERS)
    assert isinstance(order, Order)
    spoil(provider, "after: 0", "kind: html, status: 200")

    with caplog.at_level("DEBUG"), pytest.raises(RingfenceError) as caught:
        list(lookup.collect(order))

    told = f"{caught.value!r} {caught.value.message} {caught.value.remedy} {caught.value.__cause__!r} {caplog.text}"
    secrets = [str(value) for name, value in provider.settings().items() if name != "base_url"]
    assert not [secret for secret in secrets if secret in told]
    assert not [number for number in NUMBERS if number.lstrip("+")[1:] in told]
