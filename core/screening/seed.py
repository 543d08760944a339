"""Seeds the lookup cache from the CRM: a verdict that is fresh there is an answer that was paid for already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ..decisions.previous_verdict import read_earlier_answer
from ..model.answers import Answer
from ..model.record_view import RecordView, text
from ..model.shapes import ObjectShape, Slot
from ..model.values import Companion
from ..model.verdicts import Status
from ..numbers import ReasonCode
from ..ports.crm import Page
from ..state.lookup_cache import LookupCache


def seed_lookup_cache(
    pages: Iterable[Page], shapes: Mapping[str, ObjectShape], cache: LookupCache, realm: str, since: datetime
) -> int:
    """Keep the answers behind verdicts that are fresh in the CRM, so that no second record pays for the same number.

    ``pages`` are those of a feed's ``screened()``; ``realm`` stands for the org. A verdict whose evidence is older than
    ``since`` (aware) is left out, and so is one that rests on no provider's answer. Returns how many fresh slots say
    what the numbering plan knows, because nobody was ever asked about their number.
    """
    never_asked = 0
    for page in pages:
        slots = list(_fresh_slots(page, shapes[page.object], since))
        answers = (_answer(view, slot, last) for view, slot, last in slots)
        cache.keep(realm, [answer for answer in answers if answer is not None])
        never_asked += sum(_is_offline(view, slot) for view, slot, _ in slots)
    return never_asked


def _fresh_slots(page: Page, shape: ObjectShape, since: datetime) -> Iterator[tuple[RecordView, Slot, datetime]]:
    """Yield the slots whose verdict is about the present content and fresh, with the time of its evidence."""
    for record in page.records:
        view = RecordView(record, shape)
        for slot in shape.slots:
            last = view.held(slot, Companion.LAST_SCREENED)
            if isinstance(last, datetime) and last >= since and view.is_current(slot):
                yield view, slot, last


def _is_offline(view: RecordView, slot: Slot) -> bool:
    reason = text(view.held(slot, Companion.REASON))
    return view.held(slot, Companion.STATUS) == Status.VALID and reason.startswith(f"{ReasonCode.ALLOCATED}:")


def _answer(view: RecordView, slot: Slot, last: datetime) -> Answer | None:
    """Return the answer that the slot's verdict rests on."""
    e164 = view.held(slot, Companion.E164)
    if not isinstance(e164, str):
        return None

    # What the content was read as before is somebody else's number once the country was corrected.
    earlier = read_earlier_answer(view, slot)
    if earlier is None or e164 != view.number(slot).e164:
        return None
    return Answer(
        e164,
        earlier.kind,
        last,
        validity=earlier.validity,
        line=earlier.line and earlier.line.value,
        line_type=text(view.held(slot, Companion.LINE_TYPE)) or None,
        code=earlier.provider,
        reassigned=earlier.reassigned,
        paid=False,
    )
