"""The Lookup port in memory: answers as a test or a demo sets them, and a record of what was looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.core.clock import whole_seconds
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Axis
from ringfence.core.numbers import Validity
from ringfence.core.ports.lookup import ProviderProfile
from ringfence.core.ports.services import Clock

ACTIVE: Mapping[str, Any] = {"kind": AnswerKind.KNOWN, "validity": Validity.VALID, "line": "active"}
"""The answer about a number that nothing else is set for."""

PROFILE = ProviderProfile("memory", frozenset({Axis.VALIDITY, Axis.LINE_STATE, Axis.LINE_TYPE}))


@dataclass
class MemoryLookup:
    """A provider that confirms every number, unless ``answers`` says otherwise.

    ``answers`` holds by E.164 number what becomes an Answer, or the error to raise. ``in_flight`` numbers are taken
    before the first of them is answered, the last one first. ``looked_up`` lists the numbers in the order in which they
    were sent, and ``before_sending`` is called with each of them.
    """

    clock: Clock
    name: str = "memory"
    answers: dict[str, Mapping[str, Any] | BaseException] = field(default_factory=dict)
    in_flight: int = 1
    before_sending: Callable[[str], None] = lambda _number: None
    looked_up: list[str] = field(default_factory=list)
    price: float | None = 0.0
    pace: float | None = None
    profile: ProviderProfile = PROFILE

    @property
    def realm(self) -> str:
        """Return the key under which its answers are kept."""
        return f"{self.name}:host:account"

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Look each number up once; see :class:`ringfence.core.ports.lookup.Lookup`. Raises what ``answers`` holds."""
        sent: list[str] = []
        seen: set[str] = set()

        for number in numbers:
            if number in seen:
                continue

            seen.add(number)

            self.looked_up.append(number)
            self.before_sending(number)
            sent.append(number)

            if len(sent) == self.in_flight:
                yield from self._answer(sent)

        yield from self._answer(sent)

    def check(self) -> str | None:
        """Return None: there are no credentials to refuse."""
        return None

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def _answer(self, sent: list[str]) -> Iterator[Answer]:
        while sent:
            answer = self.answers.get(sent[-1], ACTIVE)
            if isinstance(answer, BaseException):
                raise answer
            yield Answer(sent.pop(), observed_at=whole_seconds(self.clock.now()), **answer)
