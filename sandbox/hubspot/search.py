"""`POST /crm/v3/objects/{type}/search`: request -> page, with HubSpot's limits.

At most 200 rows a page, 10,000 rows a query, 5 filter groups, 6 filters in one, 18 in all, one sort, 3,000 characters.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import instants
from .definitions import Definition
from .errors import bad_request
from .filters import Filter, full_text, predicate_of
from .index import Document, Predicate, SearchIndex

PAGE = 200
DEFAULT_PAGE = 10
WINDOW = 10_000
GROUPS, FILTERS_IN_GROUP, FILTERS = 5, 6, 18
BODY_CHARACTERS = 3_000


@dataclass(frozen=True, slots=True)
class Query:
    """A checked search request; `floor` is the lowest record id that may match (an id keyset), `key` names the rest."""

    key: str
    predicate: Predicate
    floor: int
    sort: tuple[str, bool] | None
    limit: int
    after: int


def read_query(text: str, definitions: Mapping[str, Definition], modified_property: str) -> tuple[Query, list[str]]:
    """Check the body of a search request; returns the query and the wanted properties (empty = the default ones)."""
    if len(text) > BODY_CHARACTERS:
        raise bad_request(f"The request body is {len(text)} characters long; the maximum is {BODY_CHARACTERS}.")

    body = _object(text)
    groups = _groups(body, definitions)
    limit = _whole(body.get("limit", DEFAULT_PAGE), "limit")
    if not 0 <= limit <= PAGE:
        raise bad_request(f"The limit {limit} is invalid. It must be between 0 and {PAGE}.")

    after = _whole(body.get("after") or 0, "after")
    if after < 0 or after + limit > WINDOW:
        raise bad_request(f"Paging past {WINDOW} results is not supported: after {after} and limit {limit}.")

    words = body.get("query") or ""
    if not isinstance(words, str):
        raise bad_request("Invalid input JSON: query must be a string")

    floor, groups = _id_keyset(groups)
    query = Query(
        key=json.dumps([[list(each.key) for each in group] for group in groups] + [words]),
        predicate=full_text(words, predicate_of(groups, definitions, modified_property)),
        floor=floor,
        sort=_sort(body.get("sorts") or [], definitions),
        limit=limit,
        after=after,
    )
    wanted = body.get("properties") or []
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise bad_request("Invalid input JSON: properties must be a list of property names")

    return query, wanted


def run(query: Query, index: SearchIndex, definitions: Mapping[str, Definition]) -> tuple[int, list[Document]]:
    """Return how many documents match, and those of the page."""
    found = index.matching(query.key, query.predicate)
    start = bisect_left(found, query.floor)
    total = len(found) - start
    rising = query.sort is None or query.sort == ("hs_object_id", False)

    if rising and index.disorder is None:
        first = start + query.after
        page = found[first : first + query.limit]
    else:
        ordered = found[start:] if query.sort is None else _ordered(found[start:], query.sort, index, definitions)
        ordered = index.disorder(ordered) if index.disorder else ordered
        page = ordered[query.after : query.after + query.limit]

    return total, [index.documents[record_id] for record_id in page]


def _ordered(
    ids: list[int], sort: tuple[str, bool], index: SearchIndex, definitions: Mapping[str, Definition]
) -> list[int]:
    name, descending = sort
    documents = index.documents
    if name == index.modified_property:
        return sorted(ids, key=lambda each: documents[each].modified, reverse=descending)
    if name == "hs_object_id":
        return ids[::-1] if descending else ids

    kind = definitions[name].type
    filled = [each for each in ids if name in documents[each].properties]
    empty = [each for each in ids if name not in documents[each].properties]
    filled.sort(key=lambda each: _sort_key(documents[each].properties[name], kind), reverse=descending)

    return filled + empty


def _sort_key(value: str, kind: str) -> Any:
    if kind == "number":
        return float(value)
    return instants.parse(value) if kind in {"date", "datetime"} else value.casefold()


def _object(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        raise bad_request("Invalid input JSON on line 1, column 1: the body is no JSON") from None
    if not isinstance(body, dict):
        raise bad_request("Invalid input JSON on line 1, column 1: the body is no object")
    return body


def _whole(value: Any, name: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise bad_request(f"Invalid input JSON: {name} must be a whole number, not {text}")
    return int(text)


def _groups(body: Mapping[str, Any], definitions: Mapping[str, Definition]) -> list[list[Filter]]:
    raw = body.get("filterGroups") or []
    if body.get("filters"):
        raw = [*raw, {"filters": body["filters"]}]

    if not isinstance(raw, list) or not all(isinstance(group, dict) for group in raw):
        raise bad_request("Invalid input JSON: filterGroups must be a list of objects")

    groups = [[Filter.read(each, definitions) for each in group.get("filters") or []] for group in raw]
    if len(groups) > GROUPS:
        raise bad_request(f"Search supports at most {GROUPS} filter groups, {len(groups)} were given.")
    if any(len(group) > FILTERS_IN_GROUP for group in groups):
        raise bad_request(f"Search supports at most {FILTERS_IN_GROUP} filters in a filter group.")
    if sum(map(len, groups)) > FILTERS:
        raise bad_request(f"Search supports at most {FILTERS} filters in all.")

    return groups


def _id_keyset(groups: list[list[Filter]]) -> tuple[int, list[list[Filter]]]:
    """Return the lower bound on the record id that all groups share (0: none), and the groups without it.

    A client that pages by id moves that bound with every page, while the rest of its filters stays the same.
    """
    floors: set[int] = set()
    others: list[list[Filter]] = []

    for group in groups:
        bounds = [each.id_floor for each in group if each.id_floor is not None]
        if len(bounds) != 1:
            return 0, groups
        floors.update(bounds)
        others.append([each for each in group if each.id_floor is None])

    return (floors.pop(), others) if len(floors) == 1 else (0, groups)


def _sort(raw: Any, definitions: Mapping[str, Definition]) -> tuple[str, bool] | None:
    if not isinstance(raw, list) or len(raw) > 1:
        raise bad_request("Only one sort is supported.")
    if not raw:
        return None

    rule = raw[0]
    name: Any
    if isinstance(rule, str):
        name, descending = rule.removeprefix("-"), rule.startswith("-")
    elif isinstance(rule, dict) and rule.get("direction", "ASCENDING") in {"ASCENDING", "DESCENDING"}:
        name, descending = rule.get("propertyName"), rule.get("direction") == "DESCENDING"
    else:
        raise bad_request("Invalid input JSON: a sort has propertyName and direction ASCENDING or DESCENDING")

    if name not in definitions:
        raise bad_request(f'Property "{name}" does not exist')

    return name, descending
