"""What answers at once do in place of buying: they ask nobody, and owe nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ..model.answers import AnswerKind
from ..state.kept_answers import KeptAnswer
from .deferring import DeferringGateway
from .gateway import NOTHING_NEWER


class RecallingGateway(DeferringGateway):
    """A :class:`ringfence.core.screening.gateway.LookupGateway` that knows what is on record, and wants no more.

    Where nothing is, the numbering plan has the last word.
    """

    def find(self, numbers: Collection[str], now: datetime) -> dict[str, KeptAnswer]:
        """Return what is on record, but for answers that are still to come."""
        found = super().find(numbers, now)
        return {number: kept for number, kept in found.items() if kept.answer.kind is not AnswerKind.PENDING}

    def ask(
        self,
        numbers: Sequence[str],  # noqa: ARG002 - of the contract
        now: datetime,  # noqa: ARG002 - of the contract
        *,
        newer_than: Mapping[str, datetime] = NOTHING_NEWER,  # noqa: ARG002 - of the contract
    ) -> dict[str, KeptAnswer]:
        """Return no answer: nothing is owed."""
        return {}
