"""Flows, Apex triggers and validation rules that an org says it has: named by queries, they do nothing here.

`FlowDefinitionView` is an object of the data API; `ApexTrigger` and `ValidationRule` are asked of the Tooling API, as
tools do. A user without View Setup and Configuration sees none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import ApiError
from .state import OrgState
from .traits import SalesforceTraits
from .wire import Answer, Call

_QUERY = re.compile(
    r"\s*SELECT\s+(?P<names>[\w\s.,]+?)\s+FROM\s+(?P<source>\w+)(?:\s+WHERE\s+(?P<where>.+?))?(?:\s+LIMIT\s+\d+)?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_EQUALS = re.compile(r"(?P<name>[\w.]+)\s*=\s*(?:'(?P<text>[^']*)'|(?P<flag>true|false))\Z", re.IGNORECASE)
_AMONG = re.compile(r"(?P<name>[\w.]+)\s+IN\s*\((?P<values>[^)]*)\)\Z", re.IGNORECASE)

Rows = Iterator[dict[str, Any]]


def _flows(traits: SalesforceTraits) -> Rows:
    for name, labels in traits.flows.items():
        for label in labels:
            yield {
                "Label": label,
                "ApiName": re.sub(r"\W+", "_", label),
                "ProcessType": "AutoLaunchedFlow",
                "TriggerType": "RecordAfterSave",
                "RecordTriggerType": "CreateAndUpdate",
                "IsActive": True,
                "TriggerObjectOrEventId": name,
                "TriggerObjectOrEventLabel": name,
                "TriggerObjectOrEvent": {"QualifiedApiName": name},
            }


def _triggers(traits: SalesforceTraits) -> Rows:
    for name, triggers in traits.apex_triggers.items():
        for trigger in triggers:
            usage = {f"Usage{when}{what}": True for when in ("Before", "After") for what in ("Insert", "Update")}
            owner = {"TableEnumOrId": name, "EntityDefinitionId": name, "EntityDefinition": {"QualifiedApiName": name}}
            yield {"Name": trigger, "Status": "Active", **usage, **owner}


def _rules(traits: SalesforceTraits) -> Rows:
    for name, rules in traits.validation_rules.items():
        for rule in rules:
            owner = {"EntityDefinitionId": name, "EntityDefinition": {"QualifiedApiName": name}}
            yield {"ValidationName": rule, "Active": True, "ErrorMessage": "Please correct it.", **owner}


_DATA: Mapping[str, Callable[[SalesforceTraits], Rows]] = {"flowdefinitionview": _flows}
_TOOLING: Mapping[str, Callable[[SalesforceTraits], Rows]] = {"apextrigger": _triggers, "validationrule": _rules}


def find_automation(org: OrgState, call: Call, text: str, *, tooling: bool) -> Answer | None:
    """Answer a query for one of the three; None for any other. Raises ApiError for one that is wrong or not allowed."""
    parts = _QUERY.match(text)
    read = (_TOOLING if tooling else _DATA).get(parts["source"].lower()) if parts else None
    if parts is None or read is None:
        return None
    source = parts["source"]
    if not org.traits.view_setup:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{source}' is not supported.")

    names = [name.strip() for name in parts["names"].split(",")]
    conditions = re.split(r"\s+AND\s+", parts["where"].strip(), flags=re.IGNORECASE) if parts["where"] else []
    rows = [row for row in read(org.traits) if all(_holds(row, each, source) for each in conditions)]
    records = [_show(call, source, number, row, names) for number, row in enumerate(rows)]
    return Answer(200, {"size": len(rows), "totalSize": len(rows), "done": True, "records": records})


def _holds(row: Mapping[str, Any], condition: str, source: str) -> bool:
    if match := _EQUALS.match(condition.strip()):
        wanted = match["text"] if match["flag"] is None else match["flag"].lower() == "true"
        return bool(_value(row, match["name"], source) == wanted)
    if match := _AMONG.match(condition.strip()):
        return _value(row, match["name"], source) in re.findall(r"'([^']*)'", match["values"])
    raise ApiError(400, "MALFORMED_QUERY", f"unexpected token: '{condition.split()[0]}'")


def _value(row: Mapping[str, Any], path: str, source: str) -> Any:
    value: Any = row
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            raise ApiError(400, "INVALID_FIELD", f"No such column '{path}' on entity '{source}'.")
        value = value[part]
    return value


def _show(call: Call, source: str, number: int, row: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "attributes": {"type": source, "url": call.url(f"/tooling/sobjects/{source}/{number:018}")}
    }
    for path in names:
        first, _, rest = path.partition(".")
        value = _value(row, path, source)
        shown[first] = {"attributes": {"type": "EntityDefinition"}, rest: value} if rest else value
    return shown
