"""Seeds the lookup cache from the CRM: a verdict that is fresh there is an answer that was paid for already."""

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


def seed_lookup_cache(
    pages: Iterable[Page], shapes: Mapping[str, ObjectShape], cache: LookupCache, realm: str, since: datetime
) -> None:
    """Keep the answers behind verdicts that are fresh in the CRM, so that no second record pays for the same number.

    ``pages`` are those of a feed's ``screened()``; ``realm`` stands for the org. A verdict whose evidence is older than
    ``since`` (aware) is left out, and so is one that rests on no provider's answer.
    """
    for page in pages:
        cache.keep(realm, _answers(page, shapes[page.object], since))


def _answers(page: Page, shape: ObjectShape, since: datetime) -> Iterator[Answer]:
    for record in page.records:
        view = RecordView(record, shape)
        for slot in shape.slots:
            if (answer := _answer(view, slot, since)) is not None:
                yield answer


def _answer(view: RecordView, slot: Slot, since: datetime) -> Answer | None:
    """Return the answer that the slot's verdict rests on, where it is about the present content and fresh."""
    e164 = view.held(slot, Companion.E164)
    last = view.held(slot, Companion.LAST_SCREENED)
    if not isinstance(e164, str) or not isinstance(last, datetime) or last < since or not view.is_current(slot):
        return None

    # What the content was read as before is somebody else's number once the country was corrected.
    earlier = read_earlier_answer(view, slot)
    if earlier is None or e164 != view.number(slot).e164:
        return None
    return Answer(
        e164,
        earlier.kind,
        last,
        valid=earlier.valid,
        line=earlier.line and earlier.line.value,
        line_type=text(view.held(slot, Companion.LINE_TYPE)) or None,
        code=earlier.provider,
        paid=False,
    )
