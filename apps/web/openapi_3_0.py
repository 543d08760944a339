"""An OpenAPI 3.1 document as one in 3.0 that Salesforce's External Services take in.

They read no 3.1, ask for names that Apex can have, refuse media types that they do not know, and know ``anyOf`` with a
discriminator alone: docs/vendors/salesforce.md, section 10. What only narrows a value and is spelt otherwise in 3.0 is
left out here: the service checks it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PATHS = ("/v1/",)
"""How the paths begin that flows call."""

LONGEST_DESCRIPTION = 1_333
"""Characters of a description that External Services keep."""

_READ = "application/json"
_REFERENCE = "#/components/schemas/"
_KEPT = ("type", "format", "description", "required", "minLength", "maxLength", "minimum", "maximum", "default", "$ref")
_KEPT_COUNTS = ("minItems", "maxItems")


def as_openapi_3_0(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what flows may call of a document, in 3.0. Raises ValueError for a schema that 3.0 cannot say plainly."""
    paths = {
        path: {method: _operation(operation) for method, operation in operations.items()}
        for path, operations in document["paths"].items()
        if path.startswith(PATHS)
    }
    known = document.get("components", {}).get("schemas", {})
    schemas: dict[str, Any] = {}
    wanted = set(_references(paths))
    while wanted:
        schemas |= {name: _schema(known[name]) for name in wanted}
        wanted = set(_references(schemas)) - set(schemas)
    return {
        "openapi": "3.0.3",
        "info": document["info"],
        "servers": document["servers"],
        "paths": paths,
        "components": {"schemas": {name: schemas[name] for name in sorted(schemas)}},
    }


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": _camel(operation["operationId"])}
    for name in ("summary", "description"):
        if text := operation.get(name):
            made[name] = _short(text)
    if body := operation.get("requestBody"):
        made["requestBody"] = {"required": body.get("required", True), "content": _content(body["content"])}
    made["responses"] = {
        status: _response(status, response) for status, response in sorted(operation["responses"].items())
    }
    return made


def _camel(name: str) -> str:
    """Return a name without underscores, which would be spelt out in the names that flows show: ``checkNumber``."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


def _response(status: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response; of one that refuses only what it means, for its media type would not be taken in."""
    made = {"description": _short(response["description"])}
    if status.startswith("2") and "content" in response:
        return {**made, "content": _content(response["content"])}
    return made


def _content(content: Mapping[str, Any]) -> dict[str, Any]:
    return {_READ: {"schema": _schema(content[_READ]["schema"])}}


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema in 3.0. Raises ValueError for one that it cannot say without ``anyOf``."""
    plain, nullable = _without_null(schema)
    made = {name: plain[name] for name in (*_KEPT, *_KEPT_COUNTS) if plain.get(name) is not None}
    if "description" in made:
        made["description"] = _short(made["description"])
    words = plain.get("enum") or ([plain["const"]] if "const" in plain else [])
    if words:
        # As an enumeration it would become a type of its own in Apex, which a further word later on would break.
        made |= {"type": "string", "description": _short(_with_words(made.get("description", ""), words))}
    if "properties" in plain:
        made["properties"] = {name: _schema(inner) for name, inner in plain["properties"].items()}
    if "items" in plain:
        made["items"] = _schema(plain["items"])
    if nullable and "$ref" not in made:
        made["nullable"] = True
    return made


def _without_null(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return a schema without the alternative of being null, and whether it had that."""
    kind = schema.get("type")
    if isinstance(kind, list):
        (only,) = [each for each in kind if each != "null"]
        return {**schema, "type": only}, "null" in kind
    for word in ("anyOf", "oneOf", "allOf"):
        if word not in schema:
            continue
        others = [each for each in schema[word] if each.get("type") != "null"]
        if len(others) != 1:
            raise ValueError(f"OpenAPI 3.0 for flows cannot say {word} of {len(others)} schemas")
        rest = {name: value for name, value in schema.items() if name != word}
        inner, nullable = _without_null(others[0])
        return {**rest, **inner}, nullable or len(others) < len(schema[word])
    return schema, False


def _with_words(about: str, words: list[Any]) -> str:
    listed = f"One of: {', '.join(str(word) for word in words if word != '')}"
    listed += "; or empty" if "" in words else ""
    return f"{about.rstrip('.')}. {listed}" if about else listed


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…"


def _references(value: Any) -> Iterator[str]:
    """Yield the names of the schemas that something refers to."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "$ref":
                yield str(inner).removeprefix(_REFERENCE)
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
