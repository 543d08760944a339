"""Which slots of a record are due, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from ..model.evidence_rules import EvidenceRules
from ..model.opt_outs import OptOuts
from ..model.policy import Policy
from ..model.record_view import RecordView, text
from ..model.shapes import Slot
from ..model.signs import NumberSign
from ..model.values import Companion, Value
from ..model.verdicts import Status
from . import wrong_person
from .coverage import is_covered, is_silent, names_wrong_flag, names_wrong_source
from .history import speaks_otherwise
from .messages import names_wrong_note

_CLOCK_SLACK = timedelta(days=1)
_EMPTY: frozenset[Value] = frozenset((None, ""))

EVERY_SLOT = datetime.max.replace(tzinfo=UTC)
"""The moment before which every slot was screened."""


class Heard(NamedTuple):
    """What was heard of numbers: the signs of each E.164 number that has any, and the rules that weigh them.

    With ``may_look_up`` a lookup can answer a suspicion: it is due for as long as none has.
    """

    signs: Mapping[str, Sequence[NumberSign]]
    rules: EvidenceRules
    may_look_up: bool = False

    def differs(self, view: RecordView, slot: Slot, policy: Policy, now: datetime) -> bool:
        """Return whether the slot's verdict says something else than the signs of its number."""
        signs = self.signs.get(view.number(slot).e164 or "")
        if not signs or not view.record.in_scope:
            return False
        return speaks_otherwise(view, slot, signs, self.rules, now, policy.max_age, may_look_up=self.may_look_up)


class DueReason(StrEnum):
    """Why a slot is due."""

    NEW = "new"  # it has no verdict yet
    CHANGED = "changed"  # its verdict is about another content, or about another number that the content was read as
    PERMISSION = "permission"  # who may be called has changed: opt-outs, wrong persons; re-planned without a lookup
    HISTORY = "history"  # calls and messages show something else of its number
    AGED = "aged"  # its verdict is older than the policy allows
    RESCREEN = "rescreen"  # the user wants every slot screened again


def find_due(
    view: RecordView,
    policy: Policy,
    now: datetime,
    opt_outs: OptOuts,
    *,
    rescreen_before: datetime | None = None,
    heard: Heard | None = None,
) -> dict[str, DueReason]:
    """Return the due slots of a record by field name, with the reason of each.

    ``now`` is aware; ``opt_outs`` is what the ledger knows; in a rescreen every slot is due that was last screened
    before ``rescreen_before`` (:data:`EVERY_SLOT`: all). ``heard`` are the signs of the numbers. But for these and the
    ledger the rule needs nothing but what the CRM holds, so that it stays the same when the local state is lost.
    """
    reasons = {}
    for slot in view.shape.slots:
        reason = _reason(view, slot, policy, now, opt_outs, rescreen_before)
        if reason in (None, DueReason.AGED) and heard is not None and heard.differs(view, slot, policy, now):
            reason = DueReason.HISTORY
        if reason is not None:
            reasons[slot.field] = reason
    return reasons


def _reason(
    view: RecordView,
    slot: Slot,
    policy: Policy,
    now: datetime,
    opt_outs: OptOuts,
    rescreen_before: datetime | None,
) -> DueReason | None:
    if not view.content(slot):
        return DueReason.CHANGED if _has_verdict(view, slot) else None

    in_scope = view.record.in_scope
    status = view.held(slot, Companion.STATUS)
    if in_scope and status is None:
        return DueReason.NEW
    silenced = status == Status.DO_NOT_CONTACT
    # Only what is silenced can stay silent: of other slots, which are nearly all, nothing more is looked at.
    must_be_silent = (
        is_silent(view, slot, opt_outs) if silenced else is_covered(view, slot, opt_outs.silencing(view.shape))
    )
    permission_differs = silenced != must_be_silent or (
        (names_wrong_flag(view, slot, opt_outs) or names_wrong_source(view, slot, opt_outs))
        if silenced
        else (status is not None and names_wrong_note(view, slot, opt_outs))
        or wrong_person.differs(view, slot, opt_outs)
    )
    if not in_scope:
        # The filter keeps the record out of screening, but an opt-out reaches it and may be lifted again.
        stale = silenced and not view.is_current(slot)
        return DueReason.PERMISSION if permission_differs or (stale and must_be_silent) else None

    last = view.held(slot, Companion.LAST_SCREENED)
    if not isinstance(last, datetime):
        return DueReason.NEW
    if not view.is_current(slot):
        return DueReason.CHANGED
    if permission_differs:
        return DueReason.PERMISSION
    if not silenced and not _names_number(view, slot):
        return DueReason.CHANGED
    if rescreen_before is not None and last < rescreen_before:
        return DueReason.RESCREEN
    # A stamp from the future would never age; beyond clock slack it counts as old.
    return DueReason.AGED if now - last >= policy.max_age or last - now > _CLOCK_SLACK else None


def _names_number(view: RecordView, slot: Slot) -> bool:
    """Return whether the slot's verdict is about the number that its content is read as today."""
    held, e164 = view.held(slot, Companion.E164), view.number(slot).e164
    return held == e164 or text(held) == (e164 or "")


def _has_verdict(view: RecordView, slot: Slot) -> bool:
    """Return whether any companion of the slot holds something."""
    return not _EMPTY.issuperset(map(view.record.values.get, slot.companions.values()))
