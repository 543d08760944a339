"""Numbers in, facts out: suppression, then the cache, then the numbering plan, then the providers, once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ..clock import whole_seconds
from ..model.answers import Answer, AnswerKind
from ..model.policy import Policy
from ..model.verdicts import Facts, offline_facts, with_answer
from ..numbers import Number, Validity
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..state.lookup_cache import ELSEWHERE, KeptAnswer, LookupCache
from .purchase import ask

CRM_REALM = "crm"
"""First part of a realm that stands for an org whose own fresh companions are the answers."""


class Question(NamedTuple):
    """One number to screen. ``may_buy`` is False where no lookup is wanted, as when only the permission changed."""

    number: Number
    may_buy: bool = True


@dataclass(slots=True)
class Tally:
    """What it cost: paid calls, numbers served from the cache, numbers a dry run would have bought."""

    lookups: int = 0
    cache_hits: int = 0
    would_buy: int = 0
    lost: int = 0  # numbers whose answer was lost on the way and is not bought again


@dataclass(slots=True)
class Screening:
    """The screening of one run.

    ``crm_realm`` names the org whose own fresh companions count as answers. ``max_lookups`` caps paid calls;
    ``exhausted`` becomes True once a number had to go without because of it. With ``buy`` False nothing is asked.
    """

    policy: Policy
    clock: Clock
    facts: LookupCache | None = None  # needed with lookups
    lookups: Sequence[Lookup] = ()
    crm_realm: str = ""
    max_lookups: int | None = None
    buy: bool = True
    retry_lost: bool = False  # ask again where an answer was lost, at the risk of paying twice
    defer_unbought: bool = False  # a dry run leaves open what it would have bought, for a plan must not guess
    on_answer: Callable[[int], None] = lambda _bought: None
    tally: Tally = field(default_factory=Tally)
    exhausted: bool = False

    def screen(self, questions: Iterable[Question]) -> Mapping[Number, Facts | None]:
        """Return facts for each number; None where a lookup is owed but failed for now or was cut off by the budget.

        Numbers that an opt-out covers must not be among the questions: they are never sent to a provider.
        """
        now = whole_seconds(self.clock.now())
        asked = list(questions)
        known: dict[Number, Facts | None] = {q.number: offline_facts(q.number, now) for q in asked}
        if not self.lookups or self.facts is None:
            return known
        store = self.facts
        # A number the offline check finds invalid is never bought, nor one without a country.
        alive = {n.e164 for n in known if n.validity is Validity.VALID and n.e164}
        wanted = {q.number.e164 for q in asked if q.may_buy and q.number.e164} & alive
        answers = self._from_cache(store, alive, now)
        self.tally.cache_hits += len(answers)
        for e164, answer in self._from_providers(store, sorted(wanted - answers.keys()), now).items():
            answers[e164] = answer
        for number in known:
            facts = known[number]
            if facts is not None and number.e164 in alive and (kept := answers.get(number.e164)) is not None:
                known[number] = None if kept.answer.kind is AnswerKind.FAILED else self._apply(facts, kept)
        return known

    def _from_cache(self, store: LookupCache, numbers: set[str], now: datetime) -> dict[str, KeptAnswer]:
        realms = [self.crm_realm] if self.crm_realm else []
        realms += [lookup.realm for lookup in self.lookups]
        kept = store.find(numbers, realms, now - self.policy.max_age, now, with_lost=not self.retry_lost)
        best = {e164: self._best(some) for e164, some in kept.items()}
        return {e164: answer for e164, answer in best.items() if answer is not None}

    def _best(self, some: Sequence[KeptAnswer]) -> KeptAnswer | None:
        """Return the answer that counts, or None where the number may be asked about."""
        for kind in (AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE, AnswerKind.LOST):
            if found := [kept for kept in some if kept.answer.kind is kind]:
                return max(found, key=lambda kept: kept.answer.observed_at)
        # Once every provider has failed on it in this run, it is not asked again before the next one.
        failed = {kept.realm for kept in some}
        return some[0] if {lookup.realm for lookup in self.lookups} <= failed else None

    def _from_providers(self, store: LookupCache, numbers: Sequence[str], now: datetime) -> dict[str, KeptAnswer]:
        """Ask the providers in turn; each is asked only about what those before it could not answer."""
        if not self.buy:
            return self._rehearse(store, numbers, now)
        open_numbers = self._within_budget(numbers)
        answers = {
            e164: KeptAnswer("", "", Answer(e164, AnswerKind.FAILED, now, code="budget", paid=False))
            for e164 in numbers[len(open_numbers) :]
        }
        since = now - self.policy.max_age
        for lookup in self.lookups:
            some = self._within_budget(open_numbers)
            with closing(ask(store, self.clock, lookup, some, since=since, again=self.retry_lost)) as told:
                for answer in told:
                    self.tally.lookups += answer.paid
                    self.on_answer(self.tally.lookups)
                    previous = answers.get(answer.e164)
                    if previous is None or _RANK[answer.kind] > _RANK[previous.answer.kind]:
                        answers[answer.e164] = KeptAnswer(lookup.realm, "", answer)
            settled = {e164 for e164, kept in answers.items() if _is_settled(kept.answer)}
            open_numbers = [e164 for e164 in open_numbers if e164 not in settled]
            if not open_numbers:
                break
        return answers

    def _within_budget(self, numbers: Sequence[str]) -> Sequence[str]:
        if self.max_lookups is None:
            return numbers
        left = max(0, self.max_lookups - self.tally.lookups)
        if left < len(numbers):
            self.exhausted = True
        return numbers[:left]

    def _rehearse(self, store: LookupCache, numbers: Sequence[str], now: datetime) -> dict[str, KeptAnswer]:
        """Count what would be bought, and remember it for the rest of the dry run as answered without news."""
        allowed = len(numbers)
        if self.max_lookups is not None:
            allowed = max(0, min(allowed, self.max_lookups - self.tally.would_buy))
            self.exhausted = self.exhausted or allowed < len(numbers)
        self.tally.would_buy += allowed
        realm = self.lookups[0].realm
        if self.defer_unbought:
            open_answers = [Answer(e164, AnswerKind.FAILED, now, code="not bought", paid=False) for e164 in numbers]
            for lookup in self.lookups:
                store.keep_failures(lookup.realm, open_answers)
            return {answer.e164: KeptAnswer(realm, "", answer) for answer in open_answers}
        answers = [Answer(e164, AnswerKind.INCONCLUSIVE, now, code="dry run", paid=False) for e164 in numbers[:allowed]]
        store.keep(realm, answers)
        rest = [Answer(e164, AnswerKind.FAILED, now, code="budget", paid=False) for e164 in numbers[allowed:]]
        return {answer.e164: KeptAnswer(realm, "", answer) for answer in (*answers, *rest)}

    def _apply(self, facts: Facts, kept: KeptAnswer) -> Facts:
        provider = kept.realm.split(":", 1)[0]
        if kept.answer.kind is AnswerKind.LOST:
            self.tally.lost += 1
            return with_answer(facts, kept.answer, f"{provider} (answer lost)")
        # A verdict found in the CRM names the provider that it came from in its code.
        return with_answer(facts, kept.answer, kept.answer.code if provider == CRM_REALM else provider)


def _is_settled(answer: Answer) -> bool:
    """Return whether no further provider is asked: what another run is asking about may come out as known."""
    return answer.kind is AnswerKind.KNOWN or (answer.kind is AnswerKind.FAILED and answer.code == ELSEWHERE)


_RANK = {kind: rank for rank, kind in enumerate((AnswerKind.FAILED, AnswerKind.LOST, AnswerKind.INCONCLUSIVE))}
_RANK[AnswerKind.KNOWN] = len(_RANK)
