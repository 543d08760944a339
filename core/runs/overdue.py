"""Watches in a run for requests of people that are enforced later than the law of their number's country allows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ..config.clocks import Clocks
from ..decisions.coverage import is_silenced
from ..decisions.due_record import DueRecord
from ..errors import FileError, MappingError
from ..model.blocks import BlockSource
from ..model.shapes import Slot
from ..numbers import mask, read_number
from ..numbers.covers import CELL
from ..ports.services import Clock

logger = logging.getLogger(__name__)

_NEVER_LATE = timedelta(days=1)
"""No clock is over on the day of the request, so that the files of clocks need not be read for a younger one."""


@dataclass(frozen=True, slots=True)
class OverdueRequest:
    """A request that came into force too late: the number, masked, since when it stands, and its last day."""

    number: str
    since: str
    deadline: str


class OverdueNames(Protocol):
    """A summary that names overdue requests."""

    def name_overdue(self, request: OverdueRequest) -> None:
        """Keep one of the first requests, and count it."""
        ...


@dataclass(slots=True)
class OverdueWatch:
    """Names each number whose slots are silenced for the first time when its deadline is over.

    What a person asked for counts from the moment that is on record: of an entry or of another account's flag, and of
    consent the day on which the record says that it was withdrawn. A list of a register has a clock of its own. The
    files of ``clocks`` are read when they are first needed.
    """

    clocks: Callable[[], Clocks]
    clock: Clock
    names: OverdueNames
    _seen: set[str] = field(default_factory=set)
    _read: Clocks | None = None

    def look_at(self, record: DueRecord, slot: Slot) -> None:
        """Look at a slot that is about to say that nobody may contact it."""
        if is_silenced(record.view, slot):
            return
        for number, since in _find_requests(record, slot):
            if number not in self._seen and self.clock.now() - since > _NEVER_LATE:
                self._judge(number, since)

    def _find_clocks(self) -> Clocks:
        if self._read is None:
            try:
                self._read = self.clocks()
            except (FileError, MappingError) as error:
                # To silence somebody never waits for a file: who was late is told by a run that can read it.
                logger.warning("requests past their deadline cannot be named: %s", error)
                self._read = Clocks()
        return self._read

    def _judge(self, number: str, since: datetime) -> None:
        region = read_number(number, None).region
        if region is None:
            return
        clocks = self._find_clocks()
        deadline = clocks.request_deadline(region, since)
        if deadline is not None and clocks.is_over(deadline, region, self.clock.now()):
            self._seen.add(number)
            self.names.name_overdue(OverdueRequest(mask(number), since.isoformat(), deadline.isoformat()))


def _find_requests(record: DueRecord, slot: Slot) -> Iterator[tuple[str, datetime]]:
    """Yield what people asked for that silences the slot by its numbers, each with the moment (UTC)."""
    view = record.view
    numbers = [each for each in view.e164s(slot) if not each.startswith(CELL)]
    consent = view.consent() if view.withdrawn else None
    for number in numbers:
        block = record.opt_outs.elsewhere.get(number)
        if consent is not None and consent.at is not None:
            yield number, consent.at
        elif block is not None and block.since is not None and block.source is not BlockSource.REGISTRY:
            yield number, block.since
