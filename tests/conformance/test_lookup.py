"""What every lookup provider must do. A registered provider cannot escape this suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC

import pytest

from ringfence.core.errors import AuthenticationError
from ringfence.core.model.answers import AnswerKind

from .harness import ProviderHarness

NUMBERS = [f"+1415555{n:04}" for n in range(100, 160)]


def test_every_number_is_sent_and_answered_once(provider: ProviderHarness) -> None:
    lookup = provider.connect()

    answers = list(lookup.look_up([*NUMBERS, *NUMBERS]))

    assert sorted(answer.e164 for answer in answers) == NUMBERS
    assert Counter(provider.sent()) == Counter(NUMBERS)


def test_numbers_are_taken_only_when_they_are_about_to_be_sent(provider: ProviderHarness) -> None:
    taken: list[str] = []

    def numbers() -> Iterator[str]:
        for number in NUMBERS:
            taken.append(number)
            yield number

    answers = iter(provider.connect().look_up(numbers()))

    next(answers)

    assert len(taken) < len(NUMBERS)
    assert len(list(answers)) == len(NUMBERS) - 1


def test_answers_say_what_the_provider_knows_and_when(provider: ProviderHarness) -> None:
    provider.disconnect(NUMBERS[0])

    answers = {answer.e164: answer for answer in provider.connect().look_up(NUMBERS[:3])}

    assert answers[NUMBERS[0]].line == "disconnected"
    assert answers[NUMBERS[0]].kind is AnswerKind.KNOWN
    assert all(answer.observed_at.tzinfo is UTC for answer in answers.values())
    assert not any(answer.observed_at.microsecond for answer in answers.values())


def test_the_realm_is_the_providers_own_and_stays_the_same(provider: ProviderHarness) -> None:
    lookup = provider.connect()

    assert lookup.name == provider.name
    assert lookup.realm.startswith(f"{provider.name}:")
    assert lookup.realm == provider.connect().realm


def test_nothing_is_sent_for_no_numbers(provider: ProviderHarness) -> None:
    assert list(provider.connect().look_up([])) == []
    assert provider.sent() == []


def test_wrong_credentials_are_named(provider: ProviderHarness) -> None:
    if not provider.needs_credentials:
        assert list(provider.connect(bad_token=True).look_up(NUMBERS[:1]))
        return

    with pytest.raises(AuthenticationError) as caught:
        list(provider.connect(bad_token=True).look_up(NUMBERS))

    assert caught.value.remedy
    assert "not-a-token" not in str(caught.value)
