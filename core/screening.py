"""Numbers in, facts out: suppression, then the cache, then the numbering plan, then the providers, once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .clock import whole_seconds
from .facts import Facts, offline_facts, with_answer
from .numbers import Number, Validity
from .policy import Policy
from .ports import Answer, AnswerKind, Clock, Lookup
from .state.facts import FactStore, KeptAnswer

CRM_REALM = "crm"
"""First part of a realm that stands for an org whose own fresh companions are the answers."""


@dataclass(frozen=True, slots=True)
class Question:
    """One number to screen. ``may_buy`` is False where no lookup is wanted, as when only the permission changed."""

    number: Number
    may_buy: bool = True


@dataclass(slots=True)
class Tally:
    """What it cost: paid calls, numbers served from the cache, numbers a dry run would have bought."""

    lookups: int = 0
    cache_hits: int = 0
    would_buy: int = 0


@dataclass(slots=True)
class Screening:
    """The screening of one run.

    ``crm_realm`` names the org whose own fresh companions count as answers. ``max_lookups`` caps paid calls;
    ``exhausted`` becomes True once a number had to go without because of it. With ``buy`` False nothing is asked.
    """

    policy: Policy
    clock: Clock
    facts: FactStore | None = None  # needed with lookups
    lookups: Sequence[Lookup] = ()
    crm_realm: str = ""
    max_lookups: int | None = None
    buy: bool = True
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

    def _from_cache(self, store: FactStore, numbers: set[str], now: datetime) -> dict[str, KeptAnswer]:
        realms = [realm for lookup in self.lookups for realm in (lookup.realm, _failed(lookup.realm))]
        if self.crm_realm:
            realms.append(self.crm_realm)
        kept = store.find(numbers, realms, now - self.policy.max_age)
        best: dict[str, KeptAnswer] = {}
        for e164, some in kept.items():
            fresh = [k for k in some if k.answer.kind is not AnswerKind.FAILED]
            if fresh:
                known = [k for k in fresh if k.answer.kind is AnswerKind.KNOWN]
                best[e164] = max(known or fresh, key=lambda k: k.answer.observed_at)
            elif {_failed(lookup.realm) for lookup in self.lookups} <= {k.realm for k in some}:
                # Every provider failed on it in this run: it is not asked again before the next one.
                best[e164] = some[0]
        return best

    def _from_providers(self, store: FactStore, numbers: Sequence[str], now: datetime) -> dict[str, KeptAnswer]:
        """Ask the providers in turn; each is asked only about what those before it could not answer."""
        if not self.buy:
            return self._rehearse(store, numbers, now)
        open_numbers = self._within_budget(numbers)
        answers = {
            e164: KeptAnswer("", "", Answer(e164, AnswerKind.FAILED, now, code="budget", paid=False))
            for e164 in numbers[len(open_numbers) :]
        }
        for lookup in self.lookups:
            for answer in lookup.look_up(self._within_budget(open_numbers)):
                # Durable before it is used: a crash behind this line costs nothing twice.
                realm = _failed(lookup.realm) if answer.kind is AnswerKind.FAILED else lookup.realm
                store.keep(realm, [answer])
                self.tally.lookups += answer.paid
                self.on_answer(self.tally.lookups)
                previous = answers.get(answer.e164)
                if previous is None or previous.answer.kind is AnswerKind.FAILED or answer.kind is AnswerKind.KNOWN:
                    answers[answer.e164] = KeptAnswer(lookup.realm, "", answer)
            known = {e164 for e164, kept in answers.items() if kept.answer.kind is AnswerKind.KNOWN}
            open_numbers = [e164 for e164 in open_numbers if e164 not in known]
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

    def _rehearse(self, store: FactStore, numbers: Sequence[str], now: datetime) -> dict[str, KeptAnswer]:
        """Count what would be bought, and remember it for the rest of the dry run as answered without news."""
        allowed = len(numbers)
        if self.max_lookups is not None:
            allowed = max(0, min(allowed, self.max_lookups - self.tally.would_buy))
            self.exhausted = self.exhausted or allowed < len(numbers)
        self.tally.would_buy += allowed
        realm = self.lookups[0].realm
        answers = [Answer(e164, AnswerKind.INCONCLUSIVE, now, code="dry run", paid=False) for e164 in numbers[:allowed]]
        store.keep(realm, answers)
        rest = [Answer(e164, AnswerKind.FAILED, now, code="budget", paid=False) for e164 in numbers[allowed:]]
        return {answer.e164: KeptAnswer(realm, "", answer) for answer in (*answers, *rest)}

    @staticmethod
    def _apply(facts: Facts, kept: KeptAnswer) -> Facts:
        provider = kept.realm.split(":", 1)[0]
        # A verdict found in the CRM names the provider that it came from in its code.
        return with_answer(facts, kept.answer, kept.answer.code if provider == CRM_REALM else provider)


def _failed(realm: str) -> str:
    return f"{realm}#failed"
