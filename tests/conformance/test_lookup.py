"""What every lookup provider must do. A registered provider cannot escape this suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC

import pytest

from ringfence.core.errors import AuthenticationError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import Lookup

from .harness import ProviderHarness
from .providers.on_sandbox import NEVER_DEAD

OLDER = ("memory", "twilio")

NUMBERS = [f"+1415555{n:04}" for n in range(100, 160)]


def answers_of(lookup: Lookup, numbers: Iterable[str]) -> list[Answer]:
    """Return the answers about the numbers, none of them an order."""
    found = list(lookup.look_up(numbers))
    assert all(isinstance(each, Answer) for each in found)
    return [each for each in found if isinstance(each, Answer)]


def test_every_number_is_sent_and_answered_once(provider: ProviderHarness) -> None:
    lookup = provider.connect()

    answers = answers_of(lookup, [*NUMBERS, *NUMBERS])

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

    lookup_takes = max(1, provider.connect().profile.batch)
    assert len(taken) < len(NUMBERS) or lookup_takes >= len(NUMBERS)
    assert len(list(answers)) == len(NUMBERS) - 1


def test_answers_say_what_the_provider_knows_and_when(provider: ProviderHarness) -> None:
    provider.disconnect(NUMBERS[0])
    lookup = provider.connect()

    answers = {answer.e164: answer for answer in answers_of(lookup, NUMBERS[:3])}

    if Axis.LINE_STATE in lookup.profile.tells and provider.name not in NEVER_DEAD:
        assert answers[NUMBERS[0]].line in ("disconnected", "likely_disconnected")
        assert answers[NUMBERS[0]].kind is AnswerKind.KNOWN
        assert answers[NUMBERS[0]].evidence is not None or provider.name in OLDER
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
