"""Of which countries an account's numbers have been: what tells whether a country's register concerns it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from . import schema
from .sql import insert_missing
from .store import Store


class CountriesMet:
    """The ISO 3166 regions of the numbers that the runs of one org have met."""

    def __init__(self, store: Store, org_id: int) -> None:
        self._store = store
        self._org_id = org_id

    def read(self) -> set[str]:
        """Return those of the runs so far."""
        table = schema.countries_met
        with self._store.transaction() as connection:
            return set(connection.scalars(select(table.c.country).where(table.c.org_id == self._org_id)))

    def add(self, countries: Iterable[str]) -> None:
        """Add these."""
        rows = [{"org_id": self._org_id, "country": country} for country in sorted(countries)]
        with self._store.transaction() as connection:
            insert_missing(connection, schema.countries_met, rows)

    def is_unknown(self) -> bool:
        """Return whether records are known of which no run has noted the countries, as an earlier version's."""
        table = schema.holdings
        with self._store.transaction() as connection:
            held = connection.scalar(select(table.c.org_id).where(table.c.org_id == self._org_id).limit(1))
        return held is not None and not self.read()
