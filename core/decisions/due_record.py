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
    """A due record on its way: why each slot is due, what was decided, what is still owed."""

    view: RecordView
    due: Mapping[str, DueReason]
    raise_flag: bool = False
    authoritative: bool = True
    covered: frozenset[str] = frozenset()
    asked: list[tuple[Slot, Number]] = field(default_factory=list)
    verdicts: dict[str, Verdict | None] = field(default_factory=dict)
    deferred: bool = False
    silenced: bool = False
