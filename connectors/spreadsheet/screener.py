"""What the caller hands in: a screener, which judges phone cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringfence.core.model.verdicts import Verdict
from ringfence.core.numbers import Number

Cell = tuple[str, str | None]
"""Raw text of a phone cell, and the ISO 3166 region that reads it when it has no calling code."""


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """What the companions of one cell should say.

    ``last_screened`` is aware; ``repaired`` tells that the number could be read after a repair only, for the summary.
    """

    status: str
    reason: str
    e164: str | None
    line_type: str
    last_screened: datetime
    repaired: bool = False

    @classmethod
    def of(cls, verdict: Verdict, number: Number) -> CellVerdict:
        """Return the verdict on a number as the verdict on the cell it was read from."""
        return cls(
            status=verdict.status.value,
            reason=verdict.reason,
            e164=verdict.e164,
            line_type=verdict.line_type,
            last_screened=verdict.last_screened,
            repaired=bool(number.repairs),
        )


class Screener(Protocol):
    """Judges phone cells, a batch at a time.

    It is given each distinct cell once a batch, and none whose number opted out.
    """

    def screen(self, cells: Sequence[Cell], times: Sequence[int]) -> Sequence[CellVerdict | None]:
        """Return one verdict per cell, in order; None where it is deferred (lookup failed, budget used up).

        ``times`` is how often each cell stands in the batch.
        """
        ...
