"""What a worker does in place of buying where only the run that it works for may buy: it asks nobody, and defers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ..errors import RingfenceError
from ..model.answers import Answer, AnswerKind
from ..model.caps import CapReached
from ..state.kept_answers import KeptAnswer
from .gateway import NOTHING_NEWER, KnownAnswers, Tally


class DeferringGateway:
    """A :class:`ringfence.core.screening.gateway.LookupGateway` that leaves every lookup to another process of its run.

    Nothing of this is put on record: the number has not failed, and the run is to ask about it itself.
    """

    reach: int = 0
    outage: RingfenceError | None = None
    exhausted: bool = False
    cap: CapReached | None = None

    def __init__(self, known: KnownAnswers) -> None:
        self.tally = Tally()
        self.known = known

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
        """Return a failure for each number: its lookup is owed."""
        owed = self.known.covered(numbers)
        answers = (Answer(number, AnswerKind.FAILED, now, code="left to the run", paid=False) for number in owed)
        return {answer.e164: KeptAnswer("", "", answer) for answer in answers}
