"""A due record on its way through a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model.record_view import RecordView
from ..model.shapes import Slot
from ..model.verdicts import Verdict
from ..numbers import Number
from .due import DueReason


@dataclass(slots=True)
class DueRecord:
    """A due record on its way: why each slot is due, what was decided, what is still owed.

    ``due`` names the due slots by field. ``raise_flag`` tells that an opt-out has reached the record and raises its
    flag. ``covered`` holds the E.164 numbers that an opt-out covers.

    Deciding fills in the rest: ``to_screen`` the slots whose numbers are screened, ``verdicts`` what each slot should
    say (None empties its companions), ``deferred`` whether a lookup is still owed, ``silenced`` whether an opt-out is
    enforced on a slot.
    """

    view: RecordView
    due: Mapping[str, DueReason]
    raise_flag: bool = False
    authoritative: bool = True
    covered: frozenset[str] = frozenset()
    to_screen: list[tuple[Slot, Number]] = field(default_factory=list)
    verdicts: dict[str, Verdict | None] = field(default_factory=dict)
    deferred: bool = False
    silenced: bool = False
