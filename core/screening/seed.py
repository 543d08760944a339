"""Verdicts that are fresh in the CRM, taken in as answers so that no number is paid for again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ..decisions.previous_verdict import read_earlier_answer
from ..model.answers import Answer
from ..model.record_view import RecordView, text
from ..model.shapes import ObjectShape, Slot
from ..model.values import Companion
from ..ports.crm import Page
from ..state.lookup_cache import LookupCache


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
    if not isinstance(e164, str) or not isinstance(last, datetime) or last < since or not view.is_current(slot):
        return None

    earlier = read_earlier_answer(view, slot)
    if earlier is None:
        return None
    line_type = text(view.held(slot, Companion.LINE_TYPE)) or None
    return Answer(
        e164,
        earlier.kind,
        last,
        valid=earlier.valid,
        line=earlier.line and earlier.line.value,
        line_type=line_type,
        code=earlier.provider,
        paid=False,
    )
