"""The mapping's filter beside the conditions of a read: no search has more filters in a group than HubSpot takes."""

from __future__ import annotations

from typing import Any

from ringfence.connectors.hubspot.filters import MAX_PER_GROUP, Group, after_id
from ringfence.connectors.hubspot.scope import ScopeChecker

SCOPE: Group = tuple({"propertyName": name, "operator": "HAS_PROPERTY"} for name in ("a", "b", "c"))
ECHO: Group = tuple({"propertyName": name, "operator": "HAS_PROPERTY"} for name in ("changed", "one", "two"))


class Searches:
    """Stands in for a searcher: all ids that end in 0 are inside."""

    def __init__(self) -> None:
        self.groups: list[Group] = []

    def rows(self, groups: Any, last: str) -> Any:
        self.groups += [(*group, after_id(last)) for group in groups]
        return iter([{"id": "10"}, {"id": "20"}])

    def among(self, ids: Any, scope: Group) -> set[str]:
        self.groups.append(({}, *scope, {}))
        return {each for each in ids if each.endswith("0")}


def test_a_filter_that_has_no_room_beside_a_read_is_asked_by_id(monkeypatch: Any) -> None:
    searches: Any = Searches()
    monkeypatch.setattr("ringfence.connectors.hubspot.scope.replace", lambda searcher, **_: searcher)

    for groups in ([ECHO], [ECHO[:1]], [()]):
        checker = ScopeChecker(searches, SCOPE, groups)
        assert checker.inside(["10", "11", "20"]) == {"10", "20"}

    assert max(len(group) for group in searches.groups) <= MAX_PER_GROUP
