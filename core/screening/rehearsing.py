"""What a dry run does in place of buying: it asks nobody, and counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ..errors import RingfenceError
from ..model.answers import Answer, AnswerKind
from ..model.caps import CapReached
from ..state.kept_answers import KeptAnswer
from .gateway import NOT_BOUGHT, NOTHING_NEWER, KnownAnswers, Tally


class RehearsingGateway:
    """A :class:`ringfence.core.screening.gateway.LookupGateway` that counts what would be bought.

    A number that would be bought counts as answered without news for the rest of the dry run. With ``defer`` its
    lookup is owed instead, because a plan must not guess what the answer will be. The caps that the cache keeps hold
    for what would be bought, at what all providers cost together. What is made up goes into the cache: its store must
    be a rehearsal's.
    """

    def __init__(self, known: KnownAnswers, *, defer: bool = False) -> None:
        self.tally = Tally()
        self.exhausted = False
        self.known = known
        self._left: tuple[int, CapReached] | None = None
        self._looked = False
        self._defer = defer

    @property
    def reach(self) -> int:
        """Return 0: nobody is asked."""
        return 0

    @property
    def cap(self) -> CapReached | None:
        """Return the cap that the run would meet."""
        return self._left[1] if self._left is not None and self.exhausted else None

    @property
    def outage(self) -> RingfenceError | None:
        """Return None: nobody is asked, and so nobody fails."""
        return None

    def find(self, numbers: Collection[str], now: datetime) -> dict[str, KeptAnswer]:
        """See :class:`ringfence.core.screening.gateway.LookupGateway`."""
        return self.known.find(numbers, now, self.known.lookups)

    def ask(
        self,
        numbers: Sequence[str],
        now: datetime,
        *,
        newer_than: Mapping[str, datetime] = NOTHING_NEWER,  # noqa: ARG002 - of the contract
    ) -> dict[str, KeptAnswer]:
        """Count the numbers that would be bought, and return what stands in for the answers to them."""
        numbers = self.known.covered(numbers)
        if not numbers:
            return {}

        if not self._looked:
            self._looked, self._left = True, self.known.cache.left(self.known.most_for_one, now)
        allowed = self._count(numbers)
        answers = self._leave_open(numbers, now) if self._defer else self._make_up(numbers, allowed, now)
        realm = self.known.lookups[0].realm
        return {answer.e164: KeptAnswer(realm, "", answer) for answer in answers}

    def _count(self, numbers: Sequence[str]) -> int:
        """Count what would be bought, and return how many of the numbers that is."""
        allowed = len(numbers)
        if self._left is not None:
            allowed = max(0, min(allowed, self._left[0] - self.tally.would_buy))
            self.exhausted = self.exhausted or allowed < len(numbers)
        self.known.plan(numbers[:allowed], self.tally)
        return allowed

    def _leave_open(self, numbers: Sequence[str], now: datetime) -> list[Answer]:
        answers = [Answer(number, AnswerKind.FAILED, now, code=NOT_BOUGHT, paid=False) for number in numbers]
        for lookup in self.known.lookups:
            self.known.cache.keep_failures(lookup.realm, answers)
        return answers

    def _make_up(self, numbers: Sequence[str], allowed: int, now: datetime) -> list[Answer]:
        bought, rest = numbers[:allowed], numbers[allowed:]
        made_up = [Answer(number, AnswerKind.INCONCLUSIVE, now, code="dry run", paid=False) for number in bought]
        self.known.cache.keep(self.known.lookups[0].realm, made_up)
        return made_up + [Answer(number, AnswerKind.FAILED, now, code="budget", paid=False) for number in rest]
