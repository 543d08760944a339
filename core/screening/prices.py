"""What lookups cost, where nobody may know the price of a provider. Everything is pure."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ErrorCode, SettingsError
from ..model.caps import Caps
from ..ports.lookup import Lookup

UNKNOWN_COST = "a price that is not known"
"""What stands for an amount that nobody can name."""


def price_of(lookup: Lookup) -> float:
    """Return what one number costs at a provider; 0 where nobody knows, which no cap of money may be left to."""
    return lookup.price or 0.0


def find_unpriced(caps: Caps, lookups: Iterable[Lookup]) -> list[str]:
    """Return the names of the providers that must not buy under these caps: money is capped, and no price is known.

    A price of 0 is known: somebody has set it.
    """
    return [each.name for each in lookups if each.price is None] if caps.money_set else []


def unpriced_error(providers: list[str]) -> SettingsError:
    """Return the error of a run whose cap of money would not hold what these providers take."""
    names = " and ".join(providers)
    return SettingsError(
        f"Nobody knows what a lookup at {names} costs, and what lookups may cost is capped: nothing was bought.",
        code=ErrorCode.PRICE_NOT_KNOWN,
        details={"providers": names, "setting": providers[0].upper().replace("-", "_")},
    )


def refuse_unpriced(caps: Caps, lookups: Iterable[Lookup]) -> None:
    """Raise SettingsError where a cap of money is set and the price of a provider is not known."""
    if unpriced := find_unpriced(caps, lookups):
        raise unpriced_error(unpriced)


def describe_cost(cost: float | None, currency: str) -> str:
    """Return an amount with its currency, such as ``1,234.50 USD``; words for one that nobody knows (None)."""
    return UNKNOWN_COST if cost is None else f"{cost:,.2f} {currency}"
