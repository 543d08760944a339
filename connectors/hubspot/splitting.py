"""Where an object is divided: ranges of ids with about as many records each, found by the counts of a few searches."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ..http.even_ranges import Stretch, bounds_among, find_bounds, most_parts
from .client import SEARCH_PAGE, HubSpotClient
from .fields import ID
from .ranges import IdRange


def split_object(client: HubSpotClient, object_name: str, parts: int, least: int = 1) -> list[str]:
    """Return up to so many ranges, as texts. The index may lag: records that it does not know yet belong to one too."""
    bounds = _find_bounds(IdCensus(client, object_name), parts, least) if parts > 1 else []
    ends = [None, *bounds, None]
    return [IdRange(low=low, high=high).model_dump_json() for low, high in pairwise(ends)]


def _find_bounds(census: IdCensus, parts: int, least: int) -> list[int]:
    everything = IdRange(low=None, high=None)
    first = census.ask(everything, limit=SEARCH_PAGE)
    ids = sorted(int(row["id"]) for row in first["results"])
    parts = most_parts(max(int(first["total"]), len(ids)), parts, least)
    if parts == 1:
        return []
    if not ids or first["total"] <= SEARCH_PAGE:
        return bounds_among(ids, parts)

    last = census.ask(everything, backwards=True)
    whole = Stretch(ids[0], max(ids[-1], *_ids(last, ids[-1])), max(int(first["total"]), len(ids)))
    return find_bounds(whole, census, parts)


class IdCensus:
    """Answers about the ids of one object; see ``http/even_ranges.py``."""

    def __init__(self, client: HubSpotClient, object_name: str) -> None:
        self._client = client
        self._name = object_name

    def cut(self, stretch: Stretch, at: int) -> list[Stretch]:
        """Return the parts of a stretch below and above a number, each of them from one record to another."""
        below = self.ask(IdRange(low=stretch.first, high=at), backwards=True)
        above = self.ask(IdRange(low=at, high=stretch.last + 1))
        # The index changes between two searches, and there is at least the record at each end.
        count = max(1, min(int(below["total"]), stretch.count - 1))
        return [
            Stretch(stretch.first, _ids(below, at - 1)[0], count),
            Stretch(_ids(above, at)[0], stretch.last, stretch.count - count),
        ]

    def ask(self, range_: IdRange, *, limit: int = 1, backwards: bool = False) -> Mapping[str, Any]:
        """Return the first records of a range, or the last ones, and how many it holds."""
        body = {
            "filterGroups": [{"filters": [range_.filter]}],
            "sorts": [{"propertyName": ID, "direction": "DESCENDING" if backwards else "ASCENDING"}],
            "properties": [ID],
            "limit": limit,
        }
        answer = self._client.search(self._name, body, "read")
        return {"results": answer["results"], "total": int(answer.get("total") or 0)}


def _ids(answer: Mapping[str, Any], otherwise: int) -> list[int]:
    # A record that was archived since it was indexed counts, and does not come.
    return [int(row["id"]) for row in answer["results"]] or [otherwise]
