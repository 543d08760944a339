"""The gateway to lookup providers: what is on record about a number, and what a provider may be asked.

::

    LookupGateway
    ├── BuyingGateway        asks the providers in turn, within the budget of the run
    ├── WithholdingGateway   asks nobody as long as nobody has agreed to the cost, and counts what would be bought
    ├── RehearsingGateway    asks nobody in a dry run, and counts what would be bought
    └── RecallingGateway     asks nobody, and owes nothing: what is on record is all that is wanted
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from ..decisions.merging import merge
from ..decisions.weighing import CONTRADICTORY_WITHIN
from ..errors import RingfenceError
from ..model.answers import Answer, AnswerKind
from ..model.caps import CapReached
from ..ports.lookup import Lookup
from ..state.kept_answers import KeptAnswer
from ..state.lookup_cache import CRM_REALM, LookupCache
from ..state.lookup_statements import run_of
from .prices import price_of
from .routing import LINE_STATE_ALONE, Routing, Stop

NOT_BOUGHT, NOT_AGREED = "not bought", "not agreed"
"""Codes of what stands for an answer that a dry run would have bought, and for one that nobody has agreed to buy."""

PLANNED_CODES = (NOT_BOUGHT, NOT_AGREED)

NOTHING_NEWER: Mapping[str, datetime] = MappingProxyType({})
"""Of no number a newer answer is wanted than one that is fresh."""

MOST_VALUES = 50
"""Different values of one provider that are counted each by itself."""


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
    unrecognised: dict[str, dict[str, int]] = field(default_factory=dict)  # provider -> axis=raw value -> answers
    failed: int = 0  # numbers that were asked about in vain, for a passing reason: their lookups are owed
    planned: Counter[str] = field(default_factory=Counter)  # provider -> numbers of would_buy on whose way it is
    cost_planned: float = 0.0  # what would_buy would have cost at most, as far as prices are known
    duplicates: int = 0  # phone fields that were due for a lookup of a number which the run had met before
    saved: int = 0  # lookups that these saved, and answers on record
    saved_cost: float = 0.0  # what they would have cost at the first provider of each, as far as prices are known
    saved_unpriced: int = 0  # those of them whose price is not known
    providers: dict[str, ProviderTally] = field(default_factory=dict)  # by name

    def of(self, provider: str) -> ProviderTally:
        """Return the tally of one provider."""
        return self.providers.setdefault(provider, ProviderTally())

    def note_unrecognised(self, provider: str, answer: Answer) -> None:
        """Count the values of an answer that no table of the provider has; many different ones count as others."""
        for axis, raw in answer.unrecognised:
            counts = self.unrecognised.setdefault(provider, {})
            value = f"{axis}={raw}"
            value = value if value in counts or len(counts) < MOST_VALUES else "others"
            counts[value] = counts.get(value, 0) + 1


class LookupGateway(Protocol):
    """The only way from the screening to the providers.

    ``exhausted`` becomes True once a number had to go without a lookup because a cap was reached, and ``cap`` tells
    which one, where something was to be bought. ``outage`` is
    the error that left no provider to ask (AuthenticationError, QuotaError or UnreachableError), None while one
    answers. It is told and not raised: without lookups a run still has opt-outs to enforce.
    """

    tally: Tally
    known: KnownAnswers

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

    def ask(
        self,
        numbers: Sequence[str],
        now: datetime,
        *,
        newer_than: Mapping[str, datetime] = NOTHING_NEWER,
    ) -> dict[str, KeptAnswer]:
        """Return an answer for each of these E.164 numbers, of kind FAILED where the lookup is owed.

        ``newer_than`` is number -> the moment before which no answer about it counts, however fresh it is.
        """
        ...


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """What is on record about numbers, and whose word counts.

    ``lookups`` are the providers in the order in which they are asked; ``crm_realms`` name the orgs whose own fresh
    companions count as answers. An answer counts for ``max_age``; ``routing``
    tells who is asked about what. With ``retry_lost`` a lost answer does not count, so that its number is asked about
    again, at the risk of paying twice. ``fetched`` are the numbers whose answers to orders of earlier runs came in this
    one, and were not used yet.
    """

    cache: LookupCache
    lookups: Sequence[Lookup]
    max_age: timedelta
    crm_realms: Sequence[str] = ()
    retry_lost: bool = False
    routing: Routing = field(default_factory=Routing)
    fetched: set[str] = field(default_factory=set)

    def is_of_this_run(self, kept: KeptAnswer) -> bool:
        """Return whether this run, or a part of it, has brought an answer; not what it found in the CRM or fetched."""
        in_crm = kept.realm.partition(":")[0] == CRM_REALM
        ours = run_of(kept.run_id) == run_of(self.cache.run_id)
        return ours and not in_crm and kept.answer.e164 not in self.fetched

    @property
    def most_for_one(self) -> float:
        """Return what one number costs at most: where none of the providers can tell, each of them is asked."""
        return round(sum(price_of(lookup) for lookup in self.lookups), 6)

    def plan(self, numbers: Iterable[str], tally: Tally) -> None:
        """Count E.164 numbers as to be bought: how many each provider is asked about at most, and what that costs."""
        for number in numbers:
            way = self.find_way(number, self.lookups)
            tally.would_buy += 1
            tally.planned.update(stop.lookup.name for stop in way)
            tally.cost_planned = round(tally.cost_planned + sum(price_of(stop.lookup) for stop in way), 6)

    def find_way(self, number: str, in_service: Sequence[Lookup]) -> list[Stop]:
        """Return the providers to ask about an E.164 number, in their order, among those in service."""
        return self.routing.find_way(number, in_service)

    def covered(self, numbers: Sequence[str]) -> list[str]:
        """Return those of the numbers about which a provider may tell: for the others, nobody is ever asked."""
        return [number for number in numbers if self.find_way(number, self.lookups)]

    def recall(self, numbers: Collection[str], now: datetime) -> dict[str, list[KeptAnswer]]:
        """Return what is on record about numbers that are to be asked about all the same, where that may matter.

        It does where providers are asked for more than the state of the line, and where an answer is too old to count
        and young enough to be contradicted.
        """
        since = min(self.oldest(now), now - CONTRADICTORY_WITHIN)
        if self.routing.checks == LINE_STATE_ALONE and since == self.oldest(now):
            return {}
        return self.cache.find(
            numbers, [each.realm for each in self.lookups], since, now, with_lost=not self.retry_lost
        )

    def oldest(self, now: datetime) -> datetime:
        """Return the moment since which an answer must have been observed to count at the moment ``now``."""
        return now - self.max_age

    def find(self, numbers: Collection[str], now: datetime, in_service: Sequence[Lookup]) -> dict[str, KeptAnswer]:
        """Return the answer that counts for each number that has one; ``in_service`` are the providers left to ask."""
        if not self.lookups or not numbers:
            return {}

        realms = [*(lookup.realm for lookup in self.lookups), *self.crm_realms]
        found = self.cache.find(numbers, realms, self.oldest(now), now, with_lost=not self.retry_lost)

        chosen = {e164: self._choose(e164, answers, in_service) for e164, answers in found.items()}
        return {e164: answer for e164, answer in chosen.items() if answer is not None}

    def _choose(self, e164: str, answers: Sequence[KeptAnswer], in_service: Sequence[Lookup]) -> KeptAnswer | None:
        way, realms = self.find_way(e164, in_service), {each.realm for each in answers}
        if self.routing.checks != LINE_STATE_ALONE:
            left_open = self.routing.left_open(answers)
            if any(stop.axes & left_open and stop.lookup.realm not in realms for stop in way):
                return None
        return _choose(answers, {stop.lookup.realm for stop in way}, with_lost=not self.retry_lost)


def _choose(answers: Sequence[KeptAnswer], in_service: set[str], *, with_lost: bool) -> KeptAnswer | None:
    """Return the answer that counts, or None where the number may be asked about."""
    lost = (AnswerKind.LOST,) if with_lost else ()
    promised = (AnswerKind.PENDING,) if with_lost else ()
    for kind in (AnswerKind.KNOWN, *promised, AnswerKind.INCONCLUSIVE, *lost):
        if of_this_kind := [each for each in answers if each.answer.kind is kind]:
            if kind is AnswerKind.KNOWN:
                return merge_kept(of_this_kind)
            return max(of_this_kind, key=lambda each: each.answer.observed_at)

    # Once every provider has failed on it in this run, it is not asked about again before the next one.
    failed = {each.realm for each in answers}
    return answers[0] if in_service <= failed else None


def merge_kept(known: Sequence[KeptAnswer]) -> KeptAnswer:
    """Return the one of several KNOWN answers about a number that decides, with what the others tell besides."""
    place, merged = merge([each.answer for each in known])
    return replace(known[place], answer=merged)
