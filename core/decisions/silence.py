"""Which numbers have been silent for so long that somebody should ask. Everything here is pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..model.axes import LineState
from ..model.evidence_rules import EvidenceRules
from ..model.signs import NumberSign, Sign
from .doubts import Told

_BAD = (Sign.FAILED, Sign.DEAD)


def is_silent(signs: Sequence[NumberSign], told: Sequence[Told], rules: EvidenceRules, now: datetime) -> bool:
    """Return whether nothing has been heard of a number for long, and nothing bad before that.

    ``signs`` are the latest ones in their order, ``told`` its live lookups in theirs; ``now`` is aware. A number that
    was never called or written to is not silent: nobody has listened.
    """
    before = now - rules.silent_after
    if not signs or signs[-1].occurred_at >= before or any(each.answer.observed_at >= before for each in told):
        return False
    if told and told[-1].answer.line != LineState.ACTIVE and told[-1].answer.observed_at > signs[-1].occurred_at:
        return False  # a lookup has found it dead, and a suspicion is another question
    shown = [show for sign in signs if (show := rules.show(sign)) is not Sign.NEUTRAL]
    return not shown or shown[-1] not in _BAD


def describe_silence(last: NumberSign) -> str:
    """Return what is said of a number whose latest sign this is."""
    said = last.outcome.value.replace("_", " ")
    return f"nothing was heard since {last.occurred_at:%Y-%m-%d} ({last.source}: {said})"
