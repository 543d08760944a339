"""What External Services makes of an API document: an action for each operation, and a class for each schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .apex_names import apex_class, apex_name

_METHODS = frozenset({"get", "put", "post", "delete", "patch"})
_JSON = "application/json"
_DONE = "200"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as flows call it: the action's name, and the classes of its body and of its answer.

    ``sends`` are the names of the body's properties as the document writes them.
    """

    path: str
    action: str
    request: str
    answer: str
    sends: frozenset[str]


def read_operations(document: str, registration: str) -> list[Operation]:
    """Return the operations of an OpenAPI 3.0 document (JSON) registered under that name, in the document's order."""
    api = json.loads(document)
    return [
        _operation(api, path, method, body, registration)
        for path, methods in api["paths"].items()
        for method, body in methods.items()
        if method in _METHODS
    ]


def _operation(api: Any, path: str, method: str, body: Any, registration: str) -> Operation:
    name = apex_name(str(body.get("operationId") or f"{method}{path}"))
    asked = _schema(body.get("requestBody") or {})
    told = _schema((body.get("responses") or {}).get(_DONE) or {})
    return Operation(
        path=path,
        action=f"{registration}.{name}",
        request=_class(asked, registration, f"{name}_IN_body"),
        answer=_class(told, registration, f"{name}_OUT_{_DONE}"),
        sends=_properties(api, asked),
    )


def _schema(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = part.get("content", {}).get(_JSON, {}).get("schema", {})
    return found


def _class(schema: Mapping[str, Any], registration: str, otherwise: str) -> str:
    """Return the class of a schema: of the component that it refers to, else of its place in the operation."""
    referred = str(schema.get("$ref") or "").rpartition("/")[2]
    return apex_class(registration, referred) if referred else f"{apex_class(registration, '')}{otherwise}"


def _properties(api: Any, schema: Mapping[str, Any]) -> frozenset[str]:
    if reference := schema.get("$ref"):
        schema = api["components"]["schemas"][str(reference).rpartition("/")[2]]
    return frozenset(schema.get("properties") or ())
