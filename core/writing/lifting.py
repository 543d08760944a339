"""The one writer that may lower an opt-out flag: it carries a person's word, and can do nothing else.

The writer of every other run refuses a lowered flag (:mod:`ringfence.core.writing.writer`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..decisions.lowering import flags_of
from ..errors import RingfenceError
from ..model.shapes import ObjectShape
from ..model.values import Change
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.journal import Journal
from .writer import ChangeWriter


@dataclass(frozen=True, slots=True)
class LiftAuthority:
    """A person's word that the opt-out on a number is lifted, and why. Only :mod:`ringfence.core.runs.lift` makes one.

    Raises RingfenceError without a name and a reason.
    """

    author: str
    reason: str

    def __post_init__(self) -> None:
        if not (self.author.strip() and self.reason.strip()):
            raise RingfenceError("A flag is lowered by a person with a reason, and by nobody else.")


class LiftingWriter(ChangeWriter):
    """Carries out the changes of a lift: they lower flags and touch nothing else. In a dry run it sends nothing."""

    def __init__(
        self,
        crm: Crm,
        shapes: Mapping[str, ObjectShape],
        journal: Journal,
        clock: Clock,
        authority: LiftAuthority,
        *,
        dry_run: bool,
    ) -> None:
        super().__init__(crm, shapes, journal, clock)
        self._lowerable = {name: {flag.field: flag for flag in flags_of(shape)} for name, shape in shapes.items()}
        self._authority = authority
        self._dry_run = dry_run

    def admit(self, changes: Sequence[Change]) -> bool:
        """Look the changes over and return whether there is something to send.

        Raises RingfenceError for a change that does anything but lower flags.
        """
        for change in changes:
            flags = self._lowerable.get(change.object, {})
            for item in change.fields:
                flag = flags.get(item.field)
                if flag is None or not flag.is_up(item.old) or flag.is_up(item.new):
                    raise RingfenceError(f"A lift of {change.object} {change.id} would write {item.field}.")
        return bool(changes) and not self._dry_run
