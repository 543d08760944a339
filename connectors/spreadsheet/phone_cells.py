"""The phone cells of a row as they are to be read: each with its dialling codes and the country that it is read in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.core.numbers.regions import read_region

from .dial_codes import DialCodes
from .screener import Cell


@dataclass(frozen=True, slots=True)
class PhoneCells:
    """Where the phone cells of a row stand, and what else tells how they are read.

    ``phones`` and ``country`` are places of columns; ``region`` is the ISO 3166 region of rows whose country cell is
    empty; ``codes`` holds the dialling codes of the phone columns that have any in columns of their own.
    """

    phones: tuple[int, ...]
    country: int | None = None
    region: str | None = None
    codes: Mapping[int, DialCodes] = field(default_factory=dict)

    def read(self, row: Sequence[str]) -> list[Cell | None]:
        """Return the phone cells of a row in the order of ``phones``; None for one that is empty."""
        region = region_of(row, self.country, self.region)
        if self.codes:
            return [self._joined(row, phone, region) for phone in self.phones]
        return [(row[phone], region) if phone < len(row) and row[phone].strip() else None for phone in self.phones]

    def unread_country(self, row: Sequence[str]) -> str | None:
        """Return the country cell of a row where it names no country, or None."""
        if self.country is None or self.country >= len(row):
            return None
        text = row[self.country].strip()
        return text if text and read_region(text) is None else None

    def _joined(self, row: Sequence[str], phone: int, region: str | None) -> Cell | None:
        if phone >= len(row) or not row[phone].strip():
            return None
        codes = self.codes.get(phone)
        return codes.join(row, row[phone], region) if codes else (row[phone], region)


def region_of(row: Sequence[str], country: int | None, region: str | None) -> str | None:
    """Return the ISO 3166 region of a row: its country cell's, or the given one where that cell is empty.

    A country that cannot be read is none, and never the given one, which would turn a national number into somebody
    else's (contract.md, section 1).
    """
    if country is None or country >= len(row) or not row[country].strip():
        return region
    return read_region(row[country])
