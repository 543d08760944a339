"""Verdicts that are fresh in the CRM, taken in as answers so that no number is paid for again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ..model.answers import Answer, AnswerKind
from ..model.record_view import RecordView, text
from ..model.shapes import ObjectShape, Slot
from ..model.values import Companion
from ..model.verdicts import LineState, Status
from ..numbers import ReasonCode
from ..ports.crm import Page
from ..state.lookup_cache import LookupCache

_LINES = {
    Status.ACTIVE: LineState.ACTIVE,
    Status.DISCONNECTED: LineState.DISCONNECTED,
    Status.SUSPENDED: LineState.SUSPENDED,
    Status.UNREACHABLE: LineState.UNREACHABLE,
}


def seed_facts(
    pages: Iterable[Page], shapes: Mapping[str, ObjectShape], facts: LookupCache, realm: str, since: datetime
) -> None:
    """Keep the verdicts that are fresh in the CRM as answers, so that no second record pays for the same number.

    ``pages`` are those of a feed's ``screened()``.
    """
    for page in pages:
        facts.keep(realm, _answers(page, shapes[page.object], since))


def _answers(page: Page, shape: ObjectShape, since: datetime) -> Iterator[Answer]:
    for record in page.records:
        view = RecordView(record, shape)
        for slot in shape.slots:
            if (answer := _answer(view, slot, since)) is not None:
                yield answer


def _answer(view: RecordView, slot: Slot, since: datetime) -> Answer | None:
    e164 = view.held(slot, Companion.E164)
    last = view.held(slot, Companion.LAST_SCREENED)
    status = text(view.held(slot, Companion.STATUS))
    reason = text(view.held(slot, Companion.REASON))
    if not isinstance(e164, str) or not isinstance(last, datetime) or last < since or not view.is_current(slot):
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
    line_type = text(view.held(slot, Companion.LINE_TYPE)) or None
    return Answer(e164, kind, last, valid=valid, line=line, line_type=line_type, code=source, paid=False)
