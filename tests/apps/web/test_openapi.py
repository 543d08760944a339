"""The description of the service's API: whole in 3.1, and in 3.0 what External Services take in.

The rules are those of docs/vendors/salesforce.md, section 10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from ringfence.apps.web.app import describe
from ringfence.apps.web.description import OpenApiVersion
from ringfence.apps.web.openapi_3_0 import as_openapi_3_0

from ..conftest import Cli

URL = "https://ringfence.example.com"
APEX_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
RESERVED = {"number", "list", "map", "set", "new", "object", "system", "test", "type", "void"}
"""Names that a class of Apex cannot or should not have; those of properties are written otherwise there."""

ONLY_IN_3_1 = {
    "$defs",
    "const",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "examples",
    "if",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
}


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return describe(OpenApiVersion.V3_1, URL)


@pytest.fixture(scope="module")
def for_flows() -> dict[str, Any]:
    return describe(OpenApiVersion.V3_0, URL)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation with its path."""
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of a document, those within others too."""
    if isinstance(value, dict):
        if "type" in value and isinstance(value["type"], str | list):
            yield value
        for inner in value.values():
            yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


def test_every_operation_is_described(whole: dict[str, Any]) -> None:
    assert whole["openapi"] == "3.1.0"
    assert whole["servers"] == [{"url": URL}]
    assert {"/healthz", "/readyz", "/v1/check", "/v1/screen", "/v1/suppressions"} <= set(whole["paths"])
    names = [operation["operationId"] for _, operation in operations(whole)]
    assert len(names) == len(set(names))
    for path, operation in operations(whole):
        assert operation["summary"], path
        assert "503" in operation["responses"], path


def test_who_may_call_is_said_where_tokens_count(whole: dict[str, Any]) -> None:
    for path, operation in operations(whole):
        has_token = path.startswith("/v1/")
        assert ("security" in operation) == has_token, path
        if has_token:
            assert re.search(r"Needs a token of the role \w+\.$", operation["description"]), path
            assert {"401", "403", "413", "422", "429"} <= set(operation["responses"]), path


def test_every_reference_resolves(whole: dict[str, Any], for_flows: dict[str, Any]) -> None:
    for document in (whole, for_flows):
        named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
        assert named <= set(document["components"]["schemas"])
    assert named == set(for_flows["components"]["schemas"])


def test_for_flows_it_has_what_flows_may_call(for_flows: dict[str, Any]) -> None:
    assert for_flows["openapi"].startswith("3.0.")
    assert set(for_flows["paths"]) == {"/v1/check", "/v1/screen", "/v1/suppressions", "/v1/suppressions/check"}
    assert len(json.dumps(for_flows)) < 100_000


def test_for_flows_it_has_nothing_of_3_1(for_flows: dict[str, Any]) -> None:
    for schema in schemas(for_flows):
        assert not ONLY_IN_3_1 & set(schema)
        assert not {"anyOf", "oneOf", "allOf", "not"} & set(schema)
        assert isinstance(schema["type"], str)
        assert schema["type"] != "null"
        assert not {"exclusiveMinimum", "exclusiveMaximum"} & set(schema)


def test_for_flows_every_name_is_one_that_apex_can_have(for_flows: dict[str, Any]) -> None:
    spelt: dict[str, str] = {}
    for _, operation in operations(for_flows):
        assert APEX_NAME.fullmatch(operation["operationId"])
        assert "_" not in operation["operationId"], "flows would show it spelt out"
    for name in for_flows["components"]["schemas"]:
        assert APEX_NAME.fullmatch(name)
        assert name.lower() not in RESERVED
    for schema in schemas(for_flows):
        for name in schema.get("properties", {}):
            assert APEX_NAME.fullmatch(name), name
            assert spelt.setdefault(name.lower(), name) == name


def test_for_flows_it_keeps_to_what_they_read(for_flows: dict[str, Any]) -> None:
    for path, operation in operations(for_flows):
        assert set(operation["requestBody"]["content"]) == {"application/json"}, path
        for status, response in operation["responses"].items():
            assert "headers" not in response
            assert ("content" in response) == (status == "200")
            assert set(response.get("content", {})) <= {"application/json"}
    for schema in schemas(for_flows):
        assert "enum" not in schema
        assert len(schema.get("description", "")) <= 1_333
        if schema["type"] == "array":
            assert schema["items"]
        if schema["type"] == "object":
            assert schema["properties"]


def test_a_schema_that_has_no_plain_form_is_refused() -> None:
    schema = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    content = {"application/json": {"schema": schema}}
    operation = {"operationId": "x", "responses": {"200": {"description": "Done", "content": content}}}
    document = {"info": {}, "servers": [], "paths": {"/v1/x": {"get": operation}}}

    with pytest.raises(ValueError, match="anyOf of 2 schemas"):
        as_openapi_3_0(document)


def test_what_may_be_null_says_so_in_the_words_of_3_0() -> None:
    nullable = {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]}
    schema = {"type": "object", "properties": {"number": nullable}}
    content = {"application/json": {"schema": schema}}
    operation = {"operationId": "x", "responses": {"200": {"description": "Done", "content": content}}}

    made = as_openapi_3_0({"info": {}, "servers": [], "paths": {"/v1/x": {"get": operation}}})

    found = made["paths"]["/v1/x"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert found["properties"]["number"] == {"type": "string", "maxLength": 9, "nullable": True}


def test_the_schemas_of_3_1_are_valid_ones(whole: dict[str, Any]) -> None:
    for schema in whole["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_command_prints_it_or_writes_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_SERVE__PUBLIC_URL", f"{URL}/")

    printed = cli("openapi")
    written = cli("openapi", "--openapi-version", "3.0", "-o", "api.json", "--json")

    assert printed.document["servers"] == [{"url": URL}]
    assert written.document == {"file": "api.json", "openapi": "3.0.3", "paths": 4}
    assert cli("openapi", "-o", "api.json").code == 2
    assert cli("openapi", "-o", "api.json", "--force").code == 0


def test_another_version_is_refused(cli: Cli) -> None:
    refused = cli("openapi", "--openapi-version", "2.0", "--json")

    assert refused.code == 2
    assert "3.0, 3.1" in refused.document["remedy"]
