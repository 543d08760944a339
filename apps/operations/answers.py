"""Answers about single numbers, for the doors that programs call: at once from what is known, or bought within caps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from ringfence.core.model.blocks import Channel
from ringfence.core.model.verdicts import Facts
from ringfence.core.numbers import Number
from ringfence.core.ports.services import no_hurry
from ringfence.core.runs.screening_run import ScreeningJob, open_screening
from ringfence.core.screening.screening import Question
from ringfence.core.state.store import Store

from ..config_files import find_evidence_rules
from ..wiring import Wiring
from .answerer import Answerer, Cell, Looked
from .door import Door
from .lookups import open_lookups
from .number_answer import NumberAnswer
from .suppression import ledger_of

__all__ = ["Answerer", "Cell", "NumberAnswer", "answer_looked", "answer_number", "screen_numbers"]

DOOR = "screen numbers"
"""What such a screening is called in the history, in the place of a CRM."""

logger = logging.getLogger(__name__)


class Answering(Protocol):
    """Whoever has an :class:`Answerer`, as the service does."""

    @property
    def answerer(self) -> Answerer:
        """Return who answers."""
        ...


def answer_number(
    service: Answering,
    text: str,
    *,
    region: str | None = None,
    channel: Channel | None = None,
    purpose: str | None = None,
    suggest: bool = True,
) -> NumberAnswer:
    """Return what is known of one number by rules, the ledger and the facts on record, within milliseconds.

    Nothing is bought. ``region`` is the country of a national number by its code or a name; one that cannot be read is
    none, never the default one. With a ``purpose`` nothing is callable that no consent covers. With ``suggest`` a text
    that is no number comes with its likely correction, where there is exactly one. Raises StateError where the store
    does not work, and UsageError for an empty purpose.
    """
    (looked,) = service.answerer.look([(text, region)], purpose)
    return answer_looked(service, looked, (text, region), channel) if suggest else looked.answer(channel)


def answer_looked(service: Answering, looked: Looked, cell: Cell, channel: Channel | None) -> NumberAnswer:
    """Return the answer about what was found of a cell, with its likely correction."""
    return replace(looked.answer(channel), suggestion=service.answerer.suggest(*cell))


def screen_numbers(
    wiring: Wiring,
    store: Store,
    door: Door,
    cells: Sequence[Cell],
    *,
    purpose: str | None = None,
    patience: Callable[[], float] = no_hurry,
) -> list[NumberAnswer | None]:
    """Return an answer for each cell in their order, after the lookups that are wanted were bought within the caps.

    Numbers that are the same are asked about once; all that is bought for one call is one run of the history, under the
    caps of a run. Nothing is bought where no cap of the day is set: what is known is the answer then. None stands for a
    number whose lookup failed for now, or was cut off by a cap; whoever wants one all the same asks
    :func:`answer_number`. ``patience`` tells for how many seconds more an answer may be waited for. Raises the errors
    of the wiring, StateError where the store does not work, and UsageError for an empty purpose.
    """
    answerer = Answerer(wiring, store)
    looked = answerer.look(cells, purpose)
    wanted = list(dict.fromkeys(each.number for each in looked if each.is_wanted))
    if not wanted or not answerer.may_buy:
        return [each.answer() for each in looked]

    bought = _buy(replace(wiring, patience=patience), store, door, answerer, wanted)
    owed = {number for number in wanted if bought[number] is None}
    # Asked once more, because somebody may have opted out while the providers were asked.
    again = answerer.look(cells, purpose)
    return [None if before.number in owed else after.answer() for before, after in zip(looked, again, strict=True)]


def _buy(
    wiring: Wiring, store: Store, door: Door, answerer: Answerer, numbers: Sequence[Number]
) -> Mapping[Number, Facts | None]:
    """Return facts for each number, None where a lookup is owed; what the providers said stands on record by then."""
    with open_lookups(wiring.lookups()) as lookups:
        job = ScreeningJob(
            door=DOOR,
            store=store,
            clock=wiring.clock,
            policy=answerer.policy,
            lookups=lookups,
            crm_realms=answerer.list_realms(),
            caps=wiring.settings.lookup.caps(),
            evidence=find_evidence_rules(wiring.settings.mappings),
            ledger=ledger_of(wiring),
            explain=door.explain,
            options={"numbers": len(numbers), "by": door.author},
        )
        with open_screening(job) as screening:
            facts = screening.screen(Question(number) for number in numbers)
            if screening.outage is not None:
                # By its kind only: the words are the provider's, and may name an account.
                kind = type(screening.outage).__name__
                logger.warning("No provider tells anything now (%s): see `ringfence providers --check`.", kind)
            return facts
