"""The question before the first write to a production org, with the numbers of a preview where there is one.

Nothing of the org has been read when the question comes, so the numbers are those of a dry run: of the last day's,
which the history keeps, or of one that is made when the person asks for it. Counts of the CRM would say how many
records there are, and nothing of flags and rewritten phones, which are what a person has to decide about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ringfence.core.ports.crm import Org


@dataclass(frozen=True, slots=True)
class Figures:
    """What a sync would do, by a dry run: ``run_id`` and when it began, in UTC.

    ``records`` would be written; ``flags_raised`` counts records too, ``slots_silenced`` and ``phones_rewritten`` phone
    fields, ``lookups`` numbers, for ``cost`` at most; None where nobody knows the price. ``limit`` is that of the dry
    run and of the sync, ``stopped`` why the dry run ended early, where it did.
    """

    run_id: str
    made_at: datetime
    records: int
    flags_raised: int
    slots_silenced: int
    phones_rewritten: int
    lookups: int
    cost: float | None
    currency: str
    limit: int | None
    stopped: str = ""

    @classmethod
    def of(cls, run_id: str, made_at: datetime, summary: Mapping[str, Any], limit: int | None) -> Self:
        """Return the figures in the document of a dry run."""
        objects = summary["objects"].values()

        def total(name: str) -> int:
            return sum(int(counts.get(name, 0)) for counts in objects)

        return cls(
            run_id,
            made_at,
            total("written"),
            total("flags_raised"),
            total("slots_silenced"),
            total("phones_rewritten"),
            int(summary.get("lookups_planned") or 0),
            summary.get("cost_planned", 0.0),
            str(summary.get("currency") or ""),
            limit,
            str(summary.get("stopped") or ""),
        )


@dataclass(frozen=True, slots=True)
class FirstWrite:
    """May ringfence write to this production org, for the first time?

    ``figures`` say what it would do, where a preview tells; ``preview`` makes one, None where that is not offered.
    """

    org: Org
    figures: Figures | None = None
    preview: Callable[[], Figures] | None = None
