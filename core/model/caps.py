"""What lookups may cost: the caps of a run and of a day, who may buy under which, and the one that ended the buying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ..errors import ErrorCode, QuotaError

MICROS = 1_000_000
"""Millionths of a currency's unit: what is kept of money, so that sums are exact."""


class CapKind(StrEnum):
    """Which cap: of numbers or of money, for one run or for all runs of a day (UTC)."""

    RUN_LOOKUPS = "max_lookups"
    RUN_COST = "max_cost_per_run"
    DAY_LOOKUPS = "max_per_day"
    DAY_COST = "max_cost_per_day"

    @property
    def of_a_day(self) -> bool:
        """Return whether the cap holds for all runs of a day."""
        return self in (CapKind.DAY_LOOKUPS, CapKind.DAY_COST)

    @property
    def of_money(self) -> bool:
        """Return whether the cap is an amount of money."""
        return self in (CapKind.RUN_COST, CapKind.DAY_COST)


@dataclass(frozen=True, slots=True)
class Caps:
    """The hard caps of paid lookups, None where there is none; money is in ``currency`` (contract.md, section 3)."""

    max_lookups: int | None = None
    max_per_day: int | None = None
    max_cost_per_run: Decimal | None = None
    max_cost_per_day: Decimal | None = None
    currency: str = "USD"

    @property
    def any_set(self) -> bool:
        """Return whether something holds the cost of a run down."""
        return any(self.most(kind) is not None for kind in CapKind)

    @property
    def day_set(self) -> bool:
        """Return whether something holds the cost of a day down."""
        return any(self.most(kind) is not None for kind in CapKind if kind.of_a_day)

    @property
    def money_set(self) -> bool:
        """Return whether a cap is an amount of money."""
        return any(self.most(kind) is not None for kind in CapKind if kind.of_money)

    def most(self, kind: CapKind) -> int | None:
        """Return a cap in numbers, or in millionths of the currency; None where it is not set."""
        value: int | Decimal | None = getattr(self, kind.value)
        if value is None:
            return None
        return int(value * MICROS) if kind.of_money else int(value)

    def may_buy(self, *, agreed: bool, unattended: bool) -> bool:
        """Return whether lookups may be bought without asking anybody.

        Somebody who runs a command has a cap set or has ``agreed`` to the cost. Where nobody is there, in a worker or
        in the service, runs follow each other without end, and only a cap of the day holds them down (contract.md,
        section 4).
        """
        return self.day_set if unattended else self.any_set or agreed

    def allowance(self, price: float) -> tuple[int, CapKind] | None:
        """Return how many numbers at that price a run may buy at most, and by which cap; None where there is none."""
        found = [
            (most // in_micros(price) if kind.of_money else most, kind)
            for kind in CapKind
            if (most := self.most(kind)) is not None and not (kind.of_money and in_micros(price) == 0)
        ]
        return min(found, default=None)


def caps_to_json(caps: Caps) -> dict[str, str | None]:
    """Return the caps as JSON values, amounts as exact text."""
    return {**{kind.value: _text(getattr(caps, kind.value)) for kind in CapKind}, "currency": caps.currency}


def caps_from_json(told: Mapping[str, Any]) -> Caps:
    """Return the caps that :func:`caps_to_json` was given."""
    values: dict[str, Any] = {
        kind.value: None if (text := told[kind.value]) is None else Decimal(text) if kind.of_money else int(text)
        for kind in CapKind
    }
    return Caps(**values, currency=told["currency"])


def _text(value: int | Decimal | None) -> str | None:
    return None if value is None else str(value)


NO_CAPS = Caps()
"""What holds nothing down."""


def in_micros(price: float) -> int:
    """Return a price in millionths of the currency."""
    return round(price * MICROS)


@dataclass(frozen=True, slots=True)
class CapReached:
    """The cap that ended the buying: ``most`` and ``used`` in numbers, or in millionths of ``currency``.

    ``day`` is the one (UTC) that a cap of the day was used up on.
    """

    kind: CapKind
    most: int
    used: int
    currency: str
    day: date

    def error(self) -> QuotaError:
        """Return the error that a run ends with whose buying it ended."""
        go_on = "The next run goes on from here and pays for nothing twice."
        if self.kind is CapKind.RUN_LOOKUPS:
            return QuotaError(
                f"The budget of {self.most} lookups is used up. {go_on}",
                code=ErrorCode.LOOKUP_BUDGET_USED_UP,
                details={"max_lookups": self.most},
            )

        used, most = self._amount(self.used), self._amount(self.most)
        if self.kind is CapKind.RUN_COST:
            return QuotaError(
                f"The run's budget for lookups is used up: {used} of {most}. {go_on}",
                code=ErrorCode.LOOKUP_COST_USED_UP,
                details={"used": used, "most": most},
            )

        ends = datetime.combine(self.day + timedelta(days=1), time(), UTC)
        return QuotaError(
            f"The lookups of the day are used up: {used} of {most} on {self.day:%Y-%m-%d} (UTC), all runs together. "
            f"The day ends at {ends:%Y-%m-%d %H:%M} UTC. A run after that goes on from here, "
            "and pays for nothing twice.",
            code=ErrorCode.LOOKUP_DAY_USED_UP,
            details={"used": used, "most": most, "setting": self.kind.value.upper()},
        )

    def _amount(self, value: int) -> str:
        if not self.kind.of_money:
            return f"{value:,}"
        exact = (Decimal(value) / MICROS).normalize()
        digits = max(2, -int(exact.as_tuple().exponent))
        return f"{exact:,.{digits}f} {self.currency}"
