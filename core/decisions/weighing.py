"""Which of several answers about one number decides: the stronger and newer one. Everything here is pure.

Two answers contradict each other where the network or a carrier told both, one found the line alive, the other dead,
and less than a day lies between them: lines do not come and go that fast, so the earlier one stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ..model.answers import Answer
from ..model.axes import Evidence, LineState, Reassigned

CONTRADICTORY_WITHIN = timedelta(hours=24)
"""How close two live answers must be for the later one to contradict the earlier instead of replacing it."""

FROM_HISTORY = "history"
"""The product of an answer that calls, messages or a person gave, and no lookup."""

LEAST_LIVE = Evidence.CARRIER_FEED
"""The weakest evidence that comes from whoever carries the line. What is as strong is weighed by its age alone,
but for what a person has decided."""


def find_deciding(answers: Sequence[Answer]) -> int:
    """Return the place of the answer that decides among those of kind KNOWN about one number; at least one.

    The order of the answers does not matter. The latest word on the number's owner decides where it is that the number
    has gone to another person, for no state of the line answers that. Else the strongest answers count, and among
    those the newest, unless it contradicts an earlier one: that one stands then, unless more answers speak against it
    than for it. What is on record without evidence was told by a network or read back from a CRM, and counts as live.
    """
    places = sorted(range(len(answers)), key=lambda place: age_of(answers[place]))
    told = [place for place in places if _tells_owner(answers[place])]
    if told and has_gone(answers[told[-1]]):
        return told[-1]

    strongest = max(_weight(answer) for answer in answers)
    standing, *later = counting = [place for place in places if _weight(answers[place]) == strongest]
    for place in later:
        if not contradict(answers[standing], answers[place]):
            standing = place

    # Two that agree outweigh one: so a second opinion settles what one answer against another leaves open.
    against = [place for place in counting if contradict(answers[standing], answers[place])]
    agreeing = [place for place in counting if answers[place].line == answers[standing].line]
    return against[-1] if len(against) > len(agreeing) else standing


def in_order(answers: Sequence[Answer]) -> list[Answer]:
    """Return answers from the weightiest to the least: the stronger first, and of equals the newer."""
    return sorted(answers, key=lambda answer: (_strength(answer), age_of(answer)), reverse=True)


def contradict(one: Answer, other: Answer) -> bool:
    """Return whether two answers about a number cannot both be true."""
    if not (is_live(one) and is_live(other)) or FROM_HISTORY in (one.product, other.product):
        return False  # a call that was answered today is no error, whatever a lookup said this morning
    apart = abs(one.observed_at - other.observed_at)
    states = {one.line, other.line}
    return states == {LineState.ACTIVE, LineState.DISCONNECTED} and apart <= CONTRADICTORY_WITHIN


def is_live(answer: Answer) -> bool:
    """Return whether an answer comes from whoever carries the line, by its evidence."""
    return answer.evidence is not None and answer.evidence.strength >= LEAST_LIVE.strength


def replaces(known: Answer, new: Answer) -> bool:
    """Return whether a provider's answer takes the place of the one that it gave before.

    An older one does not, whenever it comes, nor one that contradicts what the provider said less than a day before.
    """
    return new.observed_at >= known.observed_at and not contradict(known, new)


def _weight(answer: Answer) -> int:
    """Return a number that is greater for an answer that replaces another one whatever their ages."""
    if answer.evidence is Evidence.HUMAN:
        return Evidence.HUMAN.strength
    return LEAST_LIVE.strength if answer.evidence is None else min(answer.evidence.strength, LEAST_LIVE.strength)


def _strength(answer: Answer) -> int:
    return (answer.evidence or LEAST_LIVE).strength


def _tells_owner(answer: Answer) -> bool:
    return answer.reassigned is not None and answer.reassigned.answer in (Reassigned.YES, Reassigned.NO)


def has_gone(answer: Answer) -> bool:
    """Return whether an answer says that the number has gone to another person."""
    return answer.reassigned is not None and answer.reassigned.answer is Reassigned.YES


def age_of(answer: Answer) -> tuple[object, ...]:
    """Return what sorts answers from the older to the newer; of one second, a dead line stands against a live one."""
    return (
        answer.observed_at,
        answer.line != LineState.DISCONNECTED,
        has_gone(answer),
        _tells_owner(answer),
        answer.reassigned.since.isoformat() if answer.reassigned else "",
        answer.reassigned.answer if answer.reassigned else "",
        answer.line or "",
        answer.evidence or "",
        answer.validity,
        answer.code,
        answer.line_type or "",
        answer.ported,
        str(answer.carrier),
        str(answer.risk),
    )
