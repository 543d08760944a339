"""Numbers in, facts out: the suppression check, then the numbering plan, then what is known, then the providers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from ..clock import whole_seconds
from ..decisions.coverage import find_opt_out
from ..errors import RingfenceError
from ..model.answers import AnswerKind
from ..model.axes import Evidence
from ..model.caps import CapReached
from ..model.reasons import MessagesNote, describe_lost_answer, with_messages_note
from ..model.verdicts import LEAST_FOR_LIKELY, Facts, Status, Verdict, judge, offline_facts, with_answer
from ..numbers import Number, Validity
from ..ports.services import Clock
from ..state.kept_answers import KeptAnswer
from ..state.lookup_cache import CRM_REALM
from .gateway import LookupGateway, Tally
from .savings import Savings

SuppressionCheck = Callable[[Collection[str]], Collection[str]]
"""Returns those of the E.164 numbers that are suppressed; a mapping names what does it. Called once a batch."""


def no_ledger(_numbers: Collection[str]) -> frozenset[str]:
    """Suppress nothing: the check of a door that no opt-out ledger belongs to."""
    return frozenset()


class Question(NamedTuple):
    """One number to screen. ``may_buy`` is False where no lookup is wanted, as when only the permission changed.

    ``times`` is how many phone fields ask it at once; one number may be in several questions, too.
    """

    number: Number
    may_buy: bool = True
    times: int = 1


class Screening:
    """The screening of one run, behind which no suppressed number passes.

    ``find_suppressed`` is asked about every batch, whatever the caller has checked already: a suppressed number is
    never sent to a provider, and its facts say that somebody opted out. ``find_erased`` tells which numbers were
    erased: for those, as for all without a ``gateway``, the numbering plan alone decides. ``find_without_messages``
    tells which numbers must not be texted, where nothing but the reason says so: in a file, and of a single number.
    ``likely`` is the weakest evidence by which a likely state of a line counts.
    """

    def __init__(
        self,
        clock: Clock,
        find_suppressed: SuppressionCheck,
        gateway: LookupGateway | None = None,
        find_erased: SuppressionCheck = no_ledger,
        find_without_messages: SuppressionCheck = no_ledger,
        likely: Evidence = LEAST_FOR_LIKELY,
    ) -> None:
        self.tally = gateway.tally if gateway else Tally()
        self._clock = clock
        self._find_suppressed = find_suppressed
        self._gateway = gateway
        self._find_erased = find_erased
        self._find_without_messages = find_without_messages
        self._likely = likely
        self._prepared: Mapping[str, KeptAnswer] = {}
        self._lost: set[str] = set()
        self._savings = Savings(gateway.known, gateway.tally) if gateway else None

    @property
    def reach(self) -> int:
        """Return how many numbers are best asked about at once; 0 where nobody is asked."""
        return self._gateway.reach if self._gateway is not None else 0

    @property
    def exhausted(self) -> bool:
        """Return whether a number had to go without a lookup because the budget was used up."""
        return self._gateway is not None and self._gateway.exhausted

    @property
    def cap(self) -> CapReached | None:
        """Return the cap that has ended the buying; None while there is room."""
        return self._gateway.cap if self._gateway is not None else None

    @property
    def outage(self) -> RingfenceError | None:
        """Return the error that left no provider to ask; None while one answers, or where there is none at all."""
        return self._gateway.outage if self._gateway is not None else None

    def screen(self, questions: Iterable[Question]) -> Mapping[Number, Facts | None]:
        """Return facts for each number; None where a lookup is owed.

        It is owed where it failed for now, was cut off by the budget, or no provider is left that answers
        (:attr:`outage`).
        """
        now = whole_seconds(self._clock.now())
        asked = list(questions)
        facts: dict[Number, Facts | None] = {each.number: offline_facts(each.number, now) for each in asked}

        suppressed = self._suppress(facts, now)
        if self._gateway is None:
            return facts

        eligible, due = self._eligible(facts, suppressed), Counter[str]()
        for each in asked:
            if each.may_buy and each.number.e164 in eligible:
                due[each.number.e164] += each.times
        answers, bought = self._find_answers(self._gateway, eligible, due, now)
        if self._savings is not None:
            self._savings.count(answers, due, bought)

        for number in facts:
            if number not in suppressed and (kept := answers.get(number.e164 or "")) is not None:
                facts[number] = self._apply(facts[number], kept)
        return facts

    def prepare(self, questions: Iterable[Question]) -> None:
        """Ask about the numbers of several batches at once, for providers are at their best with many numbers.

        The batches are screened after that, each in the light of its own moment; what was prepared serves them until
        the next preparation.
        """
        self._prepared = {}
        if self._gateway is None:
            return

        now = whole_seconds(self._clock.now())
        facts: dict[Number, Facts | None] = {each.number: offline_facts(each.number, now) for each in questions}
        suppressed = self._suppress(facts, now)
        numbers = self._eligible(facts, suppressed)
        self._prepared, bought = self._find_answers(self._gateway, numbers, numbers, now)
        if self._savings is not None:
            self._savings.prepare(self._prepared.keys(), bought)

    def judge(self, facts: Mapping[Number, Facts | None]) -> dict[Number, Verdict]:
        """Return the verdict on each number that has facts; its reason names what forbids messages alone."""
        every = {e164 for number in facts for e164 in number.all_e164s()}
        without = frozenset(self._find_without_messages(every) if every else ())
        verdicts = {number: judge(known) for number, known in facts.items() if known}
        for number, verdict in verdicts.items():
            if verdict.status is not Status.DO_NOT_CONTACT and not without.isdisjoint(number.all_e164s()):
                reason = with_messages_note(verdict.reason, MessagesNote.SHARED)
                verdicts[number] = verdict._replace(reason=reason)
        return verdicts

    def _suppress(self, facts: dict[Number, Facts | None], now: datetime) -> set[Number]:
        """Put an opt-out into the facts of the numbers that are suppressed, and return these."""
        every = {e164 for number in facts for e164 in number.all_e164s()}
        suppressed = self._find_suppressed(every) if every else frozenset()
        if not suppressed:
            return set()

        reached: set[Number] = set()
        for number in facts:
            if (opted_out := find_opt_out(number, suppressed, now)) is not None:
                facts[number] = opted_out
                reached.add(number)
        return reached

    def _eligible(self, facts: Mapping[Number, Facts | None], suppressed: set[Number]) -> set[str]:
        """Return the numbers about which somebody may be asked, as E.164.

        A number that the numbering plan finds invalid is never bought, nor one without a country.
        """
        eligible = (each for each in facts if each.validity is Validity.VALID and each not in suppressed)
        numbers = {number.e164 for number in eligible if number.e164}
        numbers.difference_update(self._find_erased(numbers))
        return numbers

    def _find_answers(
        self, gateway: LookupGateway, eligible: set[str], may_buy: Collection[str], now: datetime
    ) -> tuple[dict[str, KeptAnswer], Collection[str]]:
        """Return what is known about the eligible numbers, and which were asked about: where a lookup may be bought."""
        answers = {number: kept for number in eligible if (kept := self._prepared.get(number)) is not None}
        found = gateway.find(eligible - answers.keys(), now)
        self.tally.cache_hits += sum(not gateway.known.is_of_this_run(kept) for kept in found.values())
        answers.update(found)

        wanted = eligible.intersection(may_buy) - answers.keys()
        answers.update(gateway.ask(sorted(wanted), now))
        return answers, wanted

    def _apply(self, facts: Facts | None, kept: KeptAnswer) -> Facts | None:
        """Return the facts with an answer laid over them; None while the lookup is owed: failed, or still to come."""
        answer, realm = kept.answer, kept.realm.partition(":")[0]
        if facts is None or answer.kind in (AnswerKind.FAILED, AnswerKind.PENDING):
            return None

        facts = facts._replace(likely=self._likely)
        # A verdict found in the CRM names the provider that it came from in its code.
        provider = answer.code if realm == CRM_REALM else realm
        if answer.kind is AnswerKind.LOST:
            # Once in a run, in however many batches the number comes up.
            self.tally.lost += answer.e164 not in self._lost
            self._lost.add(answer.e164)
            return with_answer(facts, answer, describe_lost_answer(provider))
        return with_answer(facts, answer, provider)
