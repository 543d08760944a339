"""What people are asked about lines because of calls and messages, and which of it is answered by later ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ..clock import whole_seconds
from ..decisions.answering import answers_by_sign
from ..decisions.fusion import fuse
from ..decisions.reviewing import ABOUT_LINES
from ..model.blocks import Channel
from ..model.evidence_rules import EvidenceRules
from ..model.review_items import ReviewReason
from ..model.signs import NumberSign, SourceKind
from ..state.keyring import Keyring
from ..state.lookup_history import list_histories
from ..state.number_signs import Signs
from ..state.review_queue import ReviewQueue


@dataclass(frozen=True, slots=True)
class SignWatch:
    """Watches new signs for the review queue of a ledger, at the moment ``now`` (aware UTC).

    Each method works in the caller's transaction.
    """

    keyring: Keyring
    ledger: str
    rules: EvidenceRules
    now: datetime

    def close_answered(self, connection: Connection, new: Mapping[str, Iterable[NumberSign]]) -> None:
        """Close what people were asked about lines, where new signs, by E.164 number, answer it."""
        queue = ReviewQueue(self.keyring, self.ledger)
        for item in queue.find_open_about(connection, new.keys(), ABOUT_LINES) if new else ():
            answers = [
                sign for sign in sorted(new.get(item.number, ())) if self._answers(item.reason, item.since, sign)
            ]
            if answers:
                queue.close_answered(connection, item, _describe(answers[-1]), whole_seconds(self.now))

    def ask_about_suspects(self, connection: Connection, known: Mapping[str, Signs]) -> None:
        """Ask about the numbers that their signs, by E.164 number, make suspected.

        What a live lookup has told since answers that, and so does what somebody has decided, until more is heard.
        """
        queue = ReviewQueue(self.keyring, self.ledger)
        suspects = [number for number, signs in known.items() if fuse(signs, self.rules).suspicion is not None]
        looked_up = list_histories(connection, self.keyring, suspects)
        for number in suspects:
            decided_at = queue.last_decided(connection, number, ReviewReason.SUSPECT)
            since = [sign for sign in known[number] if decided_at is None or sign.occurred_at > decided_at]
            told_at = max((each.answer.observed_at for each in looked_up.get(number, ())), default=None)
            suspicion = fuse(since, self.rules, told_at).suspicion
            if suspicion is not None:
                queue.ask_about_number(
                    connection,
                    number,
                    ReviewReason.SUSPECT,
                    Channel.ALL,
                    suspicion.said,
                    whole_seconds(suspicion.since),
                )

    def _answers(self, reason: ReviewReason, since: datetime, sign: NumberSign) -> bool:
        return answers_by_sign(reason, since, sign, self.rules.show(sign))


def _describe(sign: NumberSign) -> str:
    if sign.kind is SourceKind.PERSON:
        return f"{sign.source} has decided about the line"
    said = sign.outcome.value.replace("_", " ")
    return f"{sign.source}: {said} at {sign.occurred_at:%Y-%m-%d %H:%M} UTC"
