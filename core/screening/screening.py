"""Numbers in, facts out: the suppression check, then the numbering plan, then what is known, then the providers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ..clock import whole_seconds
from ..decisions.coverage import find_opt_out
from ..decisions.history import as_answers, read_history
from ..errors import RingfenceError
from ..evidence.history import NumberHistory
from ..model.answers import AnswerKind
from ..model.axes import Evidence
from ..model.caps import CapReached
from ..model.evidence_rules import EvidenceRules
from ..model.reasons import MessagesNote, describe_lost_answer, with_messages_note
from ..model.verdicts import LEAST_FOR_LIKELY, Facts, Status, Verdict, judge, offline_facts, with_answer, with_suspicion
from ..numbers import Number, Validity
from ..ports.services import Clock
from ..state.kept_answers import KeptAnswer
from ..state.lookup_cache import CRM_REALM
from ..state.number_signs import Signs
from .gateway import LookupGateway, Tally, merge_kept
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


class Known(NamedTuple):
    """What is known about the numbers of a batch.

    ``answers`` are those that count, ``signs`` what calls and messages have shown, ``asked`` the numbers that somebody
    was asked about, and ``owed`` the suspected ones whose lookup is still owed.
    """

    answers: Mapping[str, KeptAnswer]
    signs: Mapping[str, Signs]
    asked: Collection[str]
    owed: Collection[str] = ()


class Screening:
    """The screening of one run, behind which no suppressed number passes.

    ``find_suppressed`` is asked about every batch, whatever the caller has checked already: a suppressed number is
    never sent to a provider, and its facts say that somebody opted out. ``find_erased`` tells which numbers were
    erased: for those, as for all without a ``gateway``, the numbering plan alone decides. ``find_without_messages``
    tells which numbers must not be texted, where nothing but the reason says so: in a file, and of a single number.
    ``likely`` is the weakest evidence by which a likely state of a line counts. ``history`` is asked what calls and
    messages have shown of the numbers.
    """

    def __init__(
        self,
        clock: Clock,
        find_suppressed: SuppressionCheck,
        gateway: LookupGateway | None = None,
        find_erased: SuppressionCheck = no_ledger,
        find_without_messages: SuppressionCheck = no_ledger,
        likely: Evidence = LEAST_FOR_LIKELY,
        history: NumberHistory | None = None,
    ) -> None:
        self.tally = gateway.tally if gateway else Tally()
        self._clock = clock
        self._find_suppressed = find_suppressed
        self._gateway = gateway
        self._find_erased = find_erased
        self._find_without_messages = find_without_messages
        self._likely = likely
        self._history = history
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
        if self._gateway is None and self._history is None:
            return facts

        eligible, due = self._eligible(facts, suppressed), Counter[str]()
        for each in asked:
            if each.may_buy and each.number.e164 in eligible:
                due[each.number.e164] += each.times
        known = self._find_answers(eligible, due, now)
        if self._savings is not None:
            self._savings.count(known.answers, due, known.asked)

        for number in facts:
            if number not in suppressed and number.e164 in eligible:
                facts[number] = self._conclude(facts[number], number.e164, known, now)
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
        known = self._find_answers(numbers, numbers, now)
        self._prepared = known.answers
        if self._savings is not None:
            self._savings.prepare(self._prepared.keys(), known.asked)

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

    def _find_answers(self, eligible: set[str], may_buy: Collection[str], now: datetime) -> Known:
        """Return what is known about the eligible numbers, and ask about the others where a lookup may be bought.

        A number that is suspected is asked about anew; what its line has shown by itself need not be bought.
        """
        signs = self._history.find(eligible) if self._history is not None else {}
        if self._gateway is None:
            return Known({}, signs, ())
        answers = {number: kept for number in eligible if (kept := self._prepared.get(number)) is not None}
        found = self._gateway.find(eligible - answers.keys(), now)
        self.tally.cache_hits += sum(not self._gateway.known.is_of_this_run(kept) for kept in found.values())
        answers.update(found)

        doubts = self._find_doubts(found, signs) if signs else {}
        settled = self._find_settled(signs, answers, now) if signs else frozenset()
        wanted = eligible.intersection(may_buy) - (answers.keys() - doubts.keys()) - settled
        told = self._gateway.ask(sorted(wanted), now, newer_than=doubts)
        # Where nothing new was told of a suspected number, what was known of it stands.
        answers.update({number: kept for number, kept in told.items() if number not in doubts or _tells(kept)})
        owed = frozenset(number for number in doubts if (kept := told.get(number)) is not None and _is_owed(kept))
        return Known(answers, signs, wanted, owed)

    def _find_doubts(self, found: Mapping[str, KeptAnswer], signs: Mapping[str, Signs]) -> dict[str, datetime]:
        """Return the numbers whose answers are older than a suspicion, each with the moment of that."""
        doubts: dict[str, datetime] = {}
        for number in found.keys() & signs.keys():
            answer = found[number].answer
            history = read_history(signs[number], self._rules(), answer)
            if history.suspicion is not None and answer.observed_at < history.suspicion.since:
                doubts[number] = history.suspicion.since
        return doubts

    def _find_settled(
        self, signs: Mapping[str, Signs], answers: Mapping[str, KeptAnswer], now: datetime
    ) -> frozenset[str]:
        """Return the numbers without an answer whose line has lately shown its state by itself."""
        settled = set[str]()
        for number in signs.keys() - answers.keys():
            history = read_history(signs[number], self._rules(), None)
            if history.suspicion is None and as_answers(number, history, now - self._max_age()):
                settled.add(number)
        return frozenset(settled)

    def _conclude(self, facts: Facts | None, number: str, known: Known, now: datetime) -> Facts | None:
        """Return the facts about a number with its answer and its signs; None while its lookup is owed."""
        kept, signs = known.answers.get(number), known.signs.get(number)
        if not signs:
            return facts if kept is None else self._apply(facts, kept)

        history = read_history(signs, self._rules(), kept.answer if kept else None)
        shown = as_answers(number, history, now - self._max_age())
        told = [KeptAnswer(f"{source}:history", "", answer) for source, answer in shown]
        told += [kept] if kept is not None and kept.answer.kind is AnswerKind.KNOWN else []
        if told:
            concluded = self._apply(facts, merge_kept(told))
        else:
            concluded = facts if kept is None else self._apply(facts, kept)
        if history.suspicion is None:
            return concluded
        # It is known to be doubtful, whatever a lookup has yet to say.
        owed = concluded is None or number in known.owed
        best = concluded or facts
        return None if best is None else with_suspicion(best, history.suspicion, owed=owed)

    def _rules(self) -> EvidenceRules:
        return self._history.rules if self._history is not None else EvidenceRules()

    def _max_age(self) -> timedelta:
        return self._history.max_age if self._history is not None else timedelta()

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


def _tells(kept: KeptAnswer) -> bool:
    return kept.answer.kind in (AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE)


def _is_owed(kept: KeptAnswer) -> bool:
    return kept.answer.kind in (AnswerKind.FAILED, AnswerKind.PENDING)
