"""What a run takes in before it looks anything up: opt-outs of all objects, and verdicts that are fresh in the CRM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from .answers import Answer, AnswerKind
from .facts import LineState, Status
from .numbers import ReasonCode
from .ports import Crm, Page
from .reading import Reading, text
from .shapes import ObjectShape, Slot
from .state.facts import FactStore
from .state.permissions import Holding, Permissions
from .values import Companion

_LINES = {
    Status.ACTIVE: LineState.ACTIVE,
    Status.DISCONNECTED: LineState.DISCONNECTED,
    Status.SUSPENDED: LineState.SUSPENDED,
    Status.UNREACHABLE: LineState.UNREACHABLE,
}


def take_opt_outs(crm: Crm, pages: Iterable[Page], shapes: Mapping[str, ObjectShape], permissions: Permissions) -> None:
    """Take in every flag that is up, and every one that was lowered: the pages of a feed's ``flagged()``."""
    for page in pages:
        shape = shapes[page.object]
        readings = [Reading(record, shape) for record in page.records]
        if page.gone:
            done = permissions.handed_over([reading.key for reading in readings])
            readings = [reading for reading in readings if reading.key not in done]
        if not page.authoritative:
            # An index may be behind: a flag said to be up is believed, one said to be down is read again.
            lowered = [reading.record.id for reading in readings if not reading.flagged]
            readings = [reading for reading in readings if reading.flagged]
            readings += [Reading(record, shape) for record in crm.fetch(page.object, lowered)] if lowered else []
        observe(permissions, readings, certain=True)
        if page.gone:
            permissions.hand_over(reading.key for reading in readings)


def observe(permissions: Permissions, readings: Iterable[Reading], *, certain: bool) -> None:
    """Take in what the records hold. Unless ``certain``, a flag that looks lowered changes nothing."""
    permissions.observe(
        [
            Holding(*reading.key, reading.all_e164s(), reading.flagged if certain or reading.flagged else None)
            for reading in readings
        ]
    )


def seed_facts(
    pages: Iterable[Page], shapes: Mapping[str, ObjectShape], facts: FactStore, realm: str, since: datetime
) -> None:
    """Keep the verdicts that are fresh in the CRM as answers, so that no second record pays for the same number.

    ``pages`` are those of a feed's ``screened()``.
    """
    for page in pages:
        facts.keep(realm, _answers(page, shapes[page.object], since))


def _answers(page: Page, shape: ObjectShape, since: datetime) -> Iterator[Answer]:
    for record in page.records:
        reading = Reading(record, shape)
        for slot in shape.slots:
            if (answer := _answer(reading, slot, since)) is not None:
                yield answer


def _answer(reading: Reading, slot: Slot, since: datetime) -> Answer | None:
    e164 = reading.held(slot, Companion.E164)
    last = reading.held(slot, Companion.LAST_SCREENED)
    status = text(reading.held(slot, Companion.STATUS))
    reason = text(reading.held(slot, Companion.REASON))
    if not isinstance(e164, str) or not isinstance(last, datetime) or last < since or not reading.is_current(slot):
        return None
    if status in _LINES:
        valid, line, kind = True, _LINES[Status(status)].value, AnswerKind.KNOWN
    elif status == Status.INVALID and reason.startswith(ReasonCode.PROVIDER_INVALID):
        valid, line, kind = False, None, AnswerKind.KNOWN
    elif status == Status.VALID and reason.startswith(ReasonCode.INCONCLUSIVE):
        valid, line, kind = True, None, AnswerKind.INCONCLUSIVE
    else:
        return None
    # "live: twilio confirmed the line": the word behind the code names who said so.
    source = reason.partition(": ")[2].partition(" ")[0]
    line_type = text(reading.held(slot, Companion.LINE_TYPE)) or None
    return Answer(e164, kind, last, valid=valid, line=line, line_type=line_type, code=source, paid=False)
