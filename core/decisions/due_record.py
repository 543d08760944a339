"""A record with due slots, on its way through a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from ..model.blocks import EVERY_WAY, SMS_ALONE, Channel
from ..model.opt_outs import NONE_KNOWN, OptOuts
from ..model.record_view import RecordView
from ..model.shapes import Slot
from ..model.verdicts import Verdict
from ..numbers import Number
from .due import DueReason


class JudgedSlot(NamedTuple):
    """What counts of a verdict: its status, why the slot was due, the code of the reason, whether it took a repair."""

    status: str
    due: str
    code: str
    repaired: bool


judged_slot = cache(JudgedSlot)
"""Returns the one :class:`JudgedSlot` of its kind: many records wait for their outcome, and they share a few dozen."""


@dataclass(slots=True)
class DueRecord:
    """A record with due slots, and what the run decides about them step by step.

    ``due`` holds the reason for each due slot by field name; ``opt_outs`` what the ledger knows. ``raise_flag`` tells
    that opt-out flags of the record are to be raised, on account of blocks of the channels ``blocks``.
    ``authoritative`` is False where the record was read from an index, which may lag behind the CRM. ``to_screen``
    holds the slots whose numbers are screened, ``verdicts`` the verdict on each slot (None: it has no content).
    ``deferred`` tells that a lookup is still owed, ``silenced`` that an opt-out covers a slot. ``waiting`` tells that
    it was read by its id, because it waits in the state, so that no cursor brings it back. ``judged`` holds what counts
    of each verdict.
    """

    view: RecordView
    due: Mapping[str, DueReason]
    raise_flag: bool = False
    blocks: frozenset[Channel] = EVERY_WAY
    authoritative: bool = True
    opt_outs: OptOuts = NONE_KNOWN
    to_screen: list[tuple[Slot, Number]] = field(default_factory=list)
    verdicts: dict[str, Verdict | None] = field(default_factory=dict)
    judged: dict[str, JudgedSlot] = field(default_factory=dict)
    deferred: bool = False
    silenced: bool = False
    waiting: bool = False

    @property
    def mutes(self) -> bool:
        """Return whether a flag goes up that silences the record, and does not forbid messages alone."""
        return self.raise_flag and not (self.view.shape.has_sms and self.blocks == SMS_ALONE)
