"""What a run does in place of buying as long as nobody has agreed to the cost: it asks nobody, counts, and defers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..model.answers import Answer, AnswerKind
from ..state.kept_answers import KeptAnswer
from .deferring import DeferringGateway
from .gateway import NOT_AGREED, NOTHING_NEWER


class WithholdingGateway(DeferringGateway):
    """A :class:`ringfence.core.screening.gateway.LookupGateway` that counts what it would buy, and owes every lookup.

    Whatever needs no lookup goes on: answers on record are served, opt-outs are enforced.
    """

    def ask(
        self,
        numbers: Sequence[str],
        now: datetime,
        *,
        newer_than: Mapping[str, datetime] = NOTHING_NEWER,  # noqa: ARG002 - of the contract
    ) -> dict[str, KeptAnswer]:
        """Count the numbers, each once in the run, and return a failure for each."""
        numbers = self.known.covered(numbers)
        answers = [Answer(number, AnswerKind.FAILED, now, code=NOT_AGREED, paid=False) for number in numbers]
        for lookup in self.known.lookups:
            self.known.cache.keep_failures(lookup.realm, answers)

        self.known.plan(numbers, self.tally)
        return {answer.e164: KeptAnswer("", "", answer) for answer in answers}
