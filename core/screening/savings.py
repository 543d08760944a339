"""Which lookups nobody had to pay for: of a number that was known, and of one that came up again in the same run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum, auto

from ..model.answers import AnswerKind
from ..state.kept_answers import KeptAnswer
from .gateway import PLANNED_CODES, KnownAnswers, Tally

_TELLING = (AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE)
"""Kinds of answers that save a lookup: after the others it is owed, or has been paid for already."""


class _Origin(Enum):
    """Where the answer about a number in a batch came from."""

    BOUGHT = auto()  # it was asked about for this batch
    KNOWN = auto()  # an earlier run, or the CRM, has it on record
    AGAIN = auto()  # this run has met the number before


class Savings:
    """Counts what a run has saved, batch by batch, in its tally.

    A number that is due for a lookup and is answered from the record saves one. So does each further phone field that
    holds it, in the same batch or in a later one: those are duplicates.
    """

    def __init__(self, known: KnownAnswers, tally: Tally) -> None:
        self._known = known
        self._tally = tally
        self._prepared: Collection[str] = ()
        self._first: dict[str, bool] = {}  # prepared numbers that no batch has met yet -> whether they were asked about

    def prepare(self, answers: Collection[str], asked: Collection[str]) -> None:
        """Note for which E.164 numbers there are answers before their batches come, and which were asked about."""
        self._prepared, self._first = answers, {number: number in asked for number in answers}

    def count(self, answers: Mapping[str, KeptAnswer], due: Mapping[str, int], asked: Collection[str]) -> None:
        """Count a batch.

        ``due`` is E.164 number -> how many phone fields wait for a lookup of it; ``asked`` are the numbers that
        somebody was asked about for this batch.
        """
        for number, times in due.items():
            if (kept := answers.get(number)) is None:
                continue
            origin = self._find_origin(number, kept, asked)
            if kept.answer.kind in _TELLING or kept.answer.code in PLANNED_CODES:
                duplicates = times if origin is _Origin.AGAIN else times - 1
                self._add(number, duplicates, known=origin is _Origin.KNOWN)

    def _find_origin(self, number: str, kept: KeptAnswer, asked: Collection[str]) -> _Origin:
        if number in self._first:
            was_asked = self._first.pop(number)
            return _Origin.BOUGHT if was_asked else self._read_origin(kept)
        if number in self._prepared:
            return _Origin.AGAIN
        return _Origin.BOUGHT if number in asked else self._read_origin(kept)

    def _read_origin(self, kept: KeptAnswer) -> _Origin:
        """Return where an answer on record came from; what an earlier run has ordered was paid for by then."""
        if self._known.is_of_this_run(kept):
            return _Origin.AGAIN
        number, fetched = kept.answer.e164, self._known.fetched
        origin = _Origin.BOUGHT if number in fetched else _Origin.KNOWN
        fetched.discard(number)
        return origin

    def _add(self, number: str, duplicates: int, *, known: bool) -> None:
        saved = duplicates + known
        way = self._known.find_way(number, self._known.lookups) if saved else []
        if not way:
            return

        price = way[0].lookup.price
        tally = self._tally
        tally.duplicates += duplicates
        tally.saved += saved
        tally.saved_unpriced += saved if price is None else 0
        tally.saved_cost = round(tally.saved_cost + saved * (price or 0.0), 6)
