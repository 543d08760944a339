"""What a run has spent on lookups and what it has saved, as its summary keeps them for a report."""

from __future__ import annotations

from typing import Any

from ..screening.gateway import Tally


def saved_to_json(tally: Tally) -> dict[str, Any]:
    """Return what was saved: numbers, and what they would have cost; None where a price is not known."""
    return {"lookups": tally.saved, "cost": None if tally.saved_unpriced else tally.saved_cost}


def spending_to_json(tally: Tally, currency: str) -> dict[str, Any]:
    """Return what a run has spent and saved, in the words of a report (docs/contract.md, section 4, `report`)."""
    saved = saved_to_json(tally)
    return {
        "lookups": tally.lookups,
        "spent": round(sum(each.cost for each in tally.providers.values()), 6),
        "saved_lookups": saved["lookups"],
        "saved": saved["cost"],
        "currency": currency,
    }
