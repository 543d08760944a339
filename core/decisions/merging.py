"""One answer out of several about a number: each axis from whoever knows it best. Everything here is pure.

Providers know different things: one tells the state of the line and no line type, another the line type and the
carrier. The verdict, its source and its moment are those of the answer that decides; what that one does not tell is
taken from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..model.answers import Answer
from ..model.axes import LineState, Ported, Reassigned
from ..numbers import LineType, Validity
from .weighing import find_deciding, has_gone, in_order


def merge(answers: Sequence[Answer]) -> tuple[int, Answer]:
    """Return the place of the answer that decides among those of kind KNOWN, and that answer with every axis told.

    At least one answer is given; their order does not matter. Whoever tells nothing of the line's state or of the
    number's owner decides only where nobody does.
    """
    places = [place for place, answer in enumerate(answers) if _tells_status(answer)] or list(range(len(answers)))
    place = places[find_deciding([answers[each] for each in places])]

    others = [answer for each, answer in enumerate(answers) if each != place]
    return place, complete(answers[place], others)


def complete(answer: Answer, others: Sequence[Answer]) -> Answer:
    """Return the answer with what the weightiest of the others tells of each axis that it leaves open itself."""
    ranked = in_order(others)
    told = {axis: _best(ranked, axis, is_told) for axis, is_told in _AXES.items() if not is_told(answer)}
    return replace(answer, **{axis: value for axis, value in told.items() if value is not None})


def _best(ranked: Sequence[Answer], axis: str, is_told: Callable[[Answer], bool]) -> Any:
    """Return what the weightiest of the answers that tell an axis says of it; None where none does."""
    return next((getattr(answer, axis) for answer in ranked if is_told(answer)), None)


def _tells_status(answer: Answer) -> bool:
    tells_line = answer.line not in (None, LineState.UNKNOWN)
    return tells_line or answer.validity in (Validity.INVALID, Validity.POSSIBLE) or has_gone(answer)


_AXES: dict[str, Callable[[Answer], bool]] = {
    "line_type": lambda answer: answer.line_type not in (None, LineType.UNKNOWN),
    "carrier": lambda answer: answer.carrier is not None,
    "ported": lambda answer: answer.ported is not Ported.UNKNOWN,
    "reassigned": lambda answer: (
        answer.reassigned is not None and answer.reassigned.answer is not Reassigned.NOT_CHECKED
    ),
    "risk": lambda answer: answer.risk is not None,
}
"""The axes that decide no status by themselves, each with whether an answer tells it."""
