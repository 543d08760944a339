"""How the sandbox counts and lists its services in sentences."""

from __future__ import annotations

from collections.abc import Sequence

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def count_of(number: int, noun: str) -> str:
    """Return a number from 0 on as a word with its noun, such as `two CRMs` or `one CRM`."""
    word = _NUMBERS[number] if number < len(_NUMBERS) else str(number)

    return f"{word} {noun}" if number == 1 else f"{word} {noun}s"


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: `Salesforce, HubSpot and Twilio`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
