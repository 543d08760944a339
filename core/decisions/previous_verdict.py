"""What earlier runs found out about a slot, where it outlives a lookup that told nothing."""

from __future__ import annotations

from datetime import datetime

from ..model.record_view import RecordView, text
from ..model.shapes import Slot
from ..model.values import Companion
from ..model.verdicts import Facts, Status, Verdict, judge
from ..numbers import ReasonCode

_FROM_PROVIDERS = frozenset({Status.ACTIVE, Status.DISCONNECTED, Status.SUSPENDED, Status.UNREACHABLE})


def judge_again(view: RecordView, slot: Slot, facts: Facts) -> Verdict:
    """Return the verdict on a slot in the light of the one that it holds.

    A lookup that told nothing is a fact about the lookup: it never overwrites an earlier fact about the number
    (contract, section 1). A verdict that stands keeps the time of its own evidence, so that the slot stays due.
    """
    verdict = judge(facts)
    if facts.code is not ReasonCode.INCONCLUSIVE:
        return verdict
    if not view.is_current(slot) or view.held(slot, Companion.E164) != facts.number.e164:
        return verdict
    line_type = text(view.held(slot, Companion.LINE_TYPE))
    last = view.held(slot, Companion.LAST_SCREENED)
    status, reason = text(view.held(slot, Companion.STATUS)), text(view.held(slot, Companion.REASON))
    if isinstance(last, datetime) and _was_told(status, reason):
        return Verdict(Status(status), reason, facts.number.e164, line_type, last)
    if reason.startswith(ReasonCode.INCONCLUSIVE) and facts.line_type is facts.number.line_type:
        return verdict._replace(line_type=line_type)
    return verdict


def _was_told(status: str, reason: str) -> bool:
    return status in _FROM_PROVIDERS or (status == Status.INVALID and reason.startswith(ReasonCode.PROVIDER_INVALID))
