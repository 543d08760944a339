"""The ways of numbers from provider to provider, and what each of them has heard so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ..model.answers import Answer, AnswerKind
from ..ports.lookup import Lookup
from ..state.kept_answers import BESIDE, ELSEWHERE, KeptAnswer
from .errands import Ended
from .gateway import KnownAnswers, merge_kept

ON_ITS_WAY = (ELSEWHERE, BESIDE)
"""Codes of failures that stand for an answer on its way to somebody else."""

EVER = datetime.min.replace(tzinfo=UTC)

TOLD = (AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE)
"""Kinds of answers after which a number goes on at once, for what is left open."""


class Journeys:
    """Numbers on their ways, from the first provider on the way of each.

    What is on record about a number already is heard from the start, and who has said it is not asked again.
    ``have_one_provider`` tells whether all of them lead to one and the same provider.
    """

    def __init__(
        self,
        known: KnownAnswers,
        numbers: Sequence[str],
        in_service: Sequence[Lookup],
        now: datetime,
        newer_than: Mapping[str, datetime],
    ) -> None:
        self.heard: dict[str, list[KeptAnswer]] = {number: [] for number in numbers}
        self._routing = known.routing
        self._ways = {number: deque(known.find_way(number, in_service)) for number in numbers}
        self._asked: set[str] = set()  # numbers that somebody has been asked about

        for number, answers in known.recall(numbers, now).items():
            least = newer_than.get(number, EVER)
            told = [each for each in answers if each.answer.observed_at >= least]
            self.heard[number] = [each for each in told if each.answer.kind is not AnswerKind.FAILED]
            asked = {each.realm for each in told if each.answer.observed_at >= known.oldest(now)}
            self._ways[number] = deque(stop for stop in self._ways[number] if stop.lookup.realm not in asked)
            if asked:
                self._asked.add(number)
        self.have_one_provider = len({stop.lookup.realm for way in self._ways.values() for stop in way}) == 1

    def move_on(self, number: str, in_service: Collection[Lookup]) -> Lookup | None:
        """Return the next provider that is to be asked about a number; None where it has arrived.

        The first one is asked whatever it tells, each further one for what is left open.
        """
        way, realms = self._ways[number], {lookup.realm for lookup in in_service}
        left_open = self._routing.left_open(self.heard[number])
        while way:
            stop = way.popleft()
            if stop.lookup.realm in realms and (number not in self._asked or stop.axes & left_open):
                self._asked.add(number)
                return stop.lookup
        return None

    def hear(self, lookup: Lookup, answer: Answer) -> None:
        """Note an answer of a provider."""
        self.heard[answer.e164].append(KeptAnswer(lookup.realm, "", answer))

    def left_by(self, errand: Ended) -> Iterator[str]:
        """Yield the numbers that an errand has left without an answer, and for which another provider is to be tried.

        Not those that are on order or on their way to another run, which may come out as known. Nor what a cap kept
        from one provider: that is no reason to ask another one, which may be cheaper, out of turn.
        """
        for number in errand.numbers:
            said = [each.answer for each in self.heard[number] if each.realm == errand.lookup.realm]
            if not said:
                if errand.cap is None:
                    yield number
            elif said[-1].kind in (AnswerKind.FAILED, AnswerKind.LOST) and said[-1].code not in ON_ITS_WAY:
                yield number


def best_of(heard: Sequence[KeptAnswer]) -> KeptAnswer | None:
    """Return the answer that counts: of those that tell something, the one that decides; None where there is none."""
    if not heard:
        return None
    best = max(heard, key=lambda each: _RANK[each.answer.kind])  # the first of equal ones
    if best.answer.kind is not AnswerKind.KNOWN:
        return best
    known = [each for each in heard if each.answer.kind is AnswerKind.KNOWN]
    return merge_kept(known)


_RANK = {
    AnswerKind.FAILED: 0,
    AnswerKind.PENDING: 1,
    AnswerKind.LOST: 1,
    AnswerKind.INCONCLUSIVE: 2,
    AnswerKind.KNOWN: 3,
}
"""What an answer is worth beside another provider's."""
