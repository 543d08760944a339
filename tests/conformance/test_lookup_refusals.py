"""What every lookup provider must do when the service refuses, fails, or says what nobody knows."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from ringfence.core.errors import QuotaError, RingfenceError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Outcome
from ringfence.core.ports.lookup import Lookup
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.lookups.state import VOICES
from ringfence.sandbox.server import Sandbox

from .providers.on_sandbox import SandboxProviderHarness

NUMBERS = [f"+1415555{n:04}" for n in range(100, 112)]
NEVER_REFUSES_ACCESS = ("abstract", "realphonevalidation")
"""Providers that have no word for a data set that the account may not ask for."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=1, lookups=True) as made:
        yield made


@pytest.fixture(params=sorted(VOICES))
def provider(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[SandboxProviderHarness]:
    """Give each provider of the sandbox, with accounts as they are on the first day."""
    made = SandboxProviderHarness(sandbox, request.param)
    accounts = made.accounts
    accounts.billed.clear()
    for kept in (accounts.answers, accounts.credit, accounts.refusing):
        kept.clear()
    sandbox.faults = None
    yield made
    made.close()
    sandbox.faults = None


def ask(lookup: Lookup, numbers: list[str] = NUMBERS) -> dict[str, Answer]:
    return {answer.e164: answer for answer in lookup.look_up(numbers) if isinstance(answer, Answer)}


def spoil(provider: SandboxProviderHarness, when: str, fault: str) -> None:
    """Let a request of the provider go wrong."""
    rule = f"{{service: lookups, when: {{{when}}}, fault: {{{fault}}}}}"
    provider.sandbox.faults = parse_faults(f"rules: [{rule}]", "test")


def test_an_account_out_of_credit_ends_the_asking(provider: SandboxProviderHarness) -> None:
    provider.accounts.credit[provider.name] = 0

    with pytest.raises(QuotaError) as caught:
        ask(provider.connect())

    assert provider.sent() == []
    assert caught.value.remedy


def test_what_the_account_may_not_ask_is_told_once_and_no_verdict(
    provider: SandboxProviderHarness, caplog: pytest.LogCaptureFixture
) -> None:
    if provider.name in NEVER_REFUSES_ACCESS:
        pytest.skip("this provider has no word for that")
    lookup = provider.connect()
    ask(lookup, NUMBERS[:1])
    provider.accounts.refusing[provider.name] = "permission"

    with caplog.at_level(logging.WARNING):
        answers = ask(lookup, NUMBERS[1:])

    assert {answer.outcome for answer in answers.values()} == {Outcome.NOT_PERMITTED}
    assert {answer.kind for answer in answers.values()} == {AnswerKind.INCONCLUSIVE}
    assert not any(answer.paid for answer in answers.values())
    assert len([each for each in caplog.records if "not entitled" in each.getMessage()]) == 1


def test_a_refusal_for_the_rate_is_waited_out_and_the_number_asked_again(provider: SandboxProviderHarness) -> None:
    spoil(provider, "nth: 1", "kind: refuse, status: 429, retry_after: 3")
    began = provider.clock.monotonic()

    answers = ask(provider.connect(), NUMBERS[:2])

    assert sorted(answers) == NUMBERS[:2]
    assert all(answer.kind is not AnswerKind.FAILED for answer in answers.values())
    assert sorted(provider.sent()) == NUMBERS[:2]
    assert provider.clock.monotonic() - began >= 3


@pytest.mark.parametrize(
    "fault", ["kind: refuse, status: 502, after_commit: true", "kind: truncate", "kind: reset, after_commit: true"]
)
def test_an_answer_that_was_lost_on_the_way_is_not_asked_for_again(
    provider: SandboxProviderHarness, fault: str
) -> None:
    lookup = provider.connect()
    ask(lookup, NUMBERS[:1])
    spoil(provider, "nth: 1", fault)

    answers = ask(lookup, NUMBERS[1:2])

    assert answers[NUMBERS[1]].kind is AnswerKind.LOST
    assert provider.sent().count(NUMBERS[1]) == 1


def test_a_page_in_the_providers_place_says_nothing_about_a_number(provider: SandboxProviderHarness) -> None:
    spoil(provider, "after: 0", "kind: html, status: 200")

    with pytest.raises(UnreachableError):
        ask(provider.connect())

    assert provider.sent() == []


def test_a_word_that_nobody_knows_reads_as_unknown_and_is_kept(provider: SandboxProviderHarness) -> None:
    provider.accounts.answers[NUMBERS[0]] = {"word": "hibernating", "line": "active"}

    answer = ask(provider.connect(), NUMBERS[:1])[NUMBERS[0]]

    assert [value.lower() for _, value in answer.unrecognised][:1] in (["hibernating"], ["hibernatin"])


def test_neither_numbers_nor_credentials_reach_a_log_or_an_error(
    provider: SandboxProviderHarness, caplog: pytest.LogCaptureFixture
) -> None:
    lookup = provider.connect()
    provider.accounts.refusing[provider.name] = "auth"
    told = ""

    with caplog.at_level(logging.DEBUG):
        try:
            ask(lookup)
        except RingfenceError as error:
            told = f"{error!r} {error.message} {error.remedy} {error.__cause__!r} {error.__context__!r}"

    text = told + caplog.text
    secrets = [value for name, value in provider.settings().items() if name not in ("base_url", "application_id")]
    assert told
    assert not [secret for secret in secrets if str(secret) in text and not str(secret).endswith(".key")]
    assert not [number for number in NUMBERS if number.lstrip("+")[1:] in text]


def test_checking_the_credentials_buys_nothing(provider: SandboxProviderHarness) -> None:
    said = provider.connect().check()

    assert said is None or said.endswith(".")
    assert provider.sent() == []
