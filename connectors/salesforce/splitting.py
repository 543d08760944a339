"""Where an object is divided: ranges of ids with about as many records each, found by a few counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..http.even_ranges import Stretch, bounds_among, find_bounds, most_parts
from .client import PAGE, SalesforceClient
from .composite import query_subrequest
from .errors import QueryTimeoutError
from .id_numbers import read_id, write_id
from .ranges import IdRange
from .soql import Query
from .source import ObjectSource


def split_object(client: SalesforceClient, source: ObjectSource, parts: int, least: int = 1) -> list[str]:
    """Return up to so many ranges, as texts. Where Salesforce takes too long to count they may be uneven, or fewer."""
    bounds = _find_bounds(IdCensus(client, source.query().conditions, source.name), parts, least) if parts > 1 else []
    ends = [None, *map(write_id, bounds), None]
    return [IdRange(low, high).dump() for low, high in pairwise(ends)]


def count_due(client: SalesforceClient, source: ObjectSource, before: datetime) -> int | None:
    """Return about how many records are due; None where counting takes too long."""
    due = source.due(before)
    (answer,) = IdCensus(client, due.conditions, source.name).ask([due.counting()])
    return None if answer is None else int(answer["totalSize"])


def _find_bounds(census: IdCensus, parts: int, least: int) -> list[int]:
    first, last, counted = census.ask([census.ids(limit=PAGE), census.ids(backwards=True), census.counting()])
    if first is None or last is None or not (first["records"] and last["records"]):
        return []

    ids = [read_id(row["Id"]) for row in first["records"]]
    if first["done"] and len(ids) < PAGE:
        return bounds_among(ids, most_parts(len(ids), parts, least))
    count = census.approximate_count() if counted is None else int(counted["totalSize"])
    whole = Stretch(ids[0], max(ids[-1], read_id(last["records"][0]["Id"])), max(count, len(ids)))
    return find_bounds(whole, census, most_parts(whole.count, parts, least))


class IdCensus:
    """Answers about the ids of the records of one object that meet the conditions; see ``http/even_ranges.py``."""

    def __init__(self, client: SalesforceClient, conditions: Sequence[str], name: str) -> None:
        self._client = client
        self._name = name
        self._all = Query(name, ("Id",), tuple(conditions))

    def cut(self, stretch: Stretch, at: int) -> list[Stretch]:
        """Return the parts of a stretch below and above a number, each of them from one record to another.

        Where counting takes too long the records are taken to lie evenly.
        """
        low = IdRange(write_id(stretch.first), write_id(at)).conditions
        high = IdRange(write_id(at), write_id(stretch.last + 1)).conditions
        asked = [self.counting(*low), self.ids(*low, backwards=True), self.ids(*high)]
        counted, below, above = self.ask(asked)

        share = (at - stretch.first) / (stretch.last - stretch.first + 1)
        count = int(stretch.count * share) if counted is None else int(counted["totalSize"])
        # Records come and go between two questions, and there is at least the one at each end.
        count = max(1, min(count, stretch.count - 1))
        return [
            Stretch(stretch.first, _id_in(below, at - 1), count),
            Stretch(_id_in(above, at), stretch.last, stretch.count - count),
        ]

    def ids(self, *conditions: str, limit: int = 1, backwards: bool = False) -> str:
        """Return the query for the first ids, or the last ones."""
        ordered = self._all.narrowed(*conditions).soql()
        return f"{ordered}{' DESC' if backwards else ''} LIMIT {limit}"

    def counting(self, *conditions: str) -> str:
        """Return the query for the number of records."""
        return self._all.narrowed(*conditions).counting()

    def ask(self, queries: Sequence[str]) -> list[Any]:
        """Return the answers to up to five queries; None for one that took Salesforce too long."""
        answers = self._client.read_together([query_subrequest(each) for each in queries], "read", "the ids")
        return [None if isinstance(each, QueryTimeoutError) else each for each in answers]

    def approximate_count(self) -> int:
        """Return the org's own count, which is up to a day old."""
        answer = self._client.get("limits/recordCount", "the record counts", "sObjects", sObjects=self._name)
        return sum(int(row["count"]) for row in answer["sObjects"])


def _id_in(answer: Any, otherwise: int) -> int:
    return read_id(answer["records"][0]["Id"]) if answer is not None and answer["records"] else otherwise
