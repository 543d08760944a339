"""The gateway to lookup providers: what is on record about a number, and what a provider may be asked.

::

    LookupGateway
    ├── BuyingGateway        asks the providers in turn, within the budget of the run
    ├── WithholdingGateway   asks nobody as long as nobody has agreed to the cost, and counts what would be bought
    ├── RehearsingGateway    asks nobody in a dry run, and counts what would be bought
    └── RecallingGateway     asks nobody, and owes nothing: what is on record is all that is wanted
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ..decisions.weighing import find_deciding
from ..errors import RingfenceError
from ..model.answers import AnswerKind
from ..model.axes import Axis
from ..model.caps import CapReached
from ..ports.lookup import Lookup
from ..state.lookup_cache import KeptAnswer, LookupCache


@dataclass(slots=True)
class ProviderTally:
    """What one provider was asked in a run: numbers, answers lost on the way, cost, and the error that stopped it."""

    asked: int = 0
    lost: int = 0
    cost: float = 0.0
    stopped: str | None = None


@dataclass(slots=True)
class Tally:
    """What screening cost so far: paid calls, numbers served from the cache, numbers that would have been bought."""

    lookups: int = 0
    cache_hits: int = 0
    would_buy: int = 0
    lost: int = 0  # numbers whose answer was lost on the way and is not bought again
    waiting: dict[str, int] = field(default_factory=dict)  # provider -> numbers whose answers it has promised for later
    failed: int = 0  # numbers that were asked about in vain, for a passing reason: their lookups are owed
    cost_planned: float = 0.0  # what would_buy would have cost at most
    providers: dict[str, ProviderTally] = field(default_factory=dict)  # by name

    def of(self, provider: str) -> ProviderTally:
        """Return the tally of one provider."""
        return self.providers.setdefault(provider, ProviderTally())


class LookupGateway(Protocol):
    """The only way from the screening to the providers.

    ``exhausted`` becomes True once a number had to go without a lookup because a cap was reached, and ``cap`` tells
    which one, where something was to be bought. ``outage`` is
    the error that left no provider to ask (AuthenticationError, QuotaError or UnreachableError), None while one
    answers. It is told and not raised: without lookups a run still has opt-outs to enforce.
    """

    tally: Tally

    @property
    def reach(self) -> int:
        """Return how many numbers are best asked about at once; 0 where nobody is asked."""
        ...

    @property
    def exhausted(self) -> bool:
        """Return whether a number had to go without a lookup because a cap was reached."""
        ...

    @property
    def cap(self) -> CapReached | None:
        """Return the cap that was reached."""
        ...

    @property
    def outage(self) -> RingfenceError | None:
        """Return the error that left no provider to ask."""
        ...

    def find(self, numbers: Collection[str], now: datetime) -> dict[str, KeptAnswer]:
        """Return the answers on record about these E.164 numbers, where they count at the moment ``now`` (UTC).

        A number for which one counts need not be asked about.
        """
        ...

    def ask(self, numbers: Sequence[str], now: datetime) -> dict[str, KeptAnswer]:
        """Return an answer for each of these E.164 numbers, of kind FAILED where the lookup is owed."""
        ...


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """What is on record about numbers, and whose word counts.

    ``lookups`` are the providers in the order in which they are asked; ``crm_realms`` name the orgs whose own fresh
    companions count as answers. An answer counts for ``max_age``. With ``retry_lost`` a lost answer does not
    count, so that its number is asked about again, at the risk of paying twice.
    """

    cache: LookupCache
    lookups: Sequence[Lookup]
    max_age: timedelta
    crm_realms: Sequence[str] = ()
    retry_lost: bool = False

    def cost_of(self, numbers: int) -> float:
        """Return what so many numbers cost at most: where none of the providers can tell, each of them is asked."""
        return round(numbers * sum(lookup.price for lookup in self.lookups), 6)

    def route(self, number: str, in_service: Sequence[Lookup]) -> list[Lookup]:  # noqa: ARG002 - a policy may route
        """Return the providers to ask about an E.164 number, in their order: after the first one those that tell more.

        Where the first does not tell the state of the line, one that does is to be asked too (contract.md, section 1).
        """
        return [each for place, each in enumerate(in_service) if place == 0 or Axis.LINE_STATE in each.profile.tells]

    def oldest(self, now: datetime) -> datetime:
        """Return the moment since which an answer must have been observed to count at the moment ``now``."""
        return now - self.max_age

    def find(self, numbers: Collection[str], now: datetime, in_service: Sequence[Lookup]) -> dict[str, KeptAnswer]:
        """Return the answer that counts for each number that has one; ``in_service`` are the providers left to ask."""
        if not self.lookups or not numbers:
            return {}

        realms = [*(lookup.realm for lookup in self.lookups), *self.crm_realms]
        found = self.cache.find(numbers, realms, self.oldest(now), now, with_lost=not self.retry_lost)

        chosen = {
            e164: _choose(answers, {each.realm for each in self.route(e164, in_service)}, with_lost=not self.retry_lost)
            for e164, answers in found.items()
        }
        return {e164: answer for e164, answer in chosen.items() if answer is not None}


def _choose(answers: Sequence[KeptAnswer], in_service: set[str], *, with_lost: bool) -> KeptAnswer | None:
    """Return the answer that counts, or None where the number may be asked about."""
    lost = (AnswerKind.LOST,) if with_lost else ()
    promised = (AnswerKind.PENDING,) if with_lost else ()
    for kind in (AnswerKind.KNOWN, *promised, AnswerKind.INCONCLUSIVE, *lost):
        if of_this_kind := [each for each in answers if each.answer.kind is kind]:
            if kind is AnswerKind.KNOWN:
                return of_this_kind[find_deciding([each.answer for each in of_this_kind])]
            return max(of_this_kind, key=lambda each: each.answer.observed_at)

    # Once every provider has failed on it in this run, it is not asked about again before the next one.
    failed = {each.realm for each in answers}
    return answers[0] if in_service <= failed else None
